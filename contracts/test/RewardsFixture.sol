// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "./SetFixture.sol";
import {Candidate, Posting, Round} from "../src/interfaces/IRewards.sol";

/// @dev Postings, trees of two leaves, and claims.
abstract contract RewardsFixture is SetFixture {
    uint64 internal constant BOND = 10_000 * LILY;
    uint64 internal constant BUDGET = 100_000 * LILY;

    address internal poster = vm.addr(PROVIDER_KEY);
    address internal rival = vm.addr(STRANGER_KEY);

    function setUp() public virtual override {
        super.setUp();
        token.transfer(poster, 1_000_000 * LILY);
        token.transfer(rival, 1_000_000 * LILY);
        token.approve(address(rewards), type(uint256).max);
        vm.prank(poster);
        token.approve(address(rewards), type(uint256).max);
        vm.prank(rival);
        token.approve(address(rewards), type(uint256).max);
    }

    function _nonce(address account) internal view returns (uint256) {
        return INonces(address(rewards)).nonces(account);
    }

    function _fund(uint64 amount) internal {
        rewards.fund(address(this), amount, _nonce(address(this)), "");
    }

    /// @dev The tree of creator's and solver's amounts.
    function _root(uint64 creators, uint64 solvers) internal view returns (bytes32) {
        return _pair(_leaf(creator, creators), _leaf(solver, solvers));
    }

    function _leaf(address account, uint64 amount) internal pure returns (bytes32) {
        return keccak256(abi.encode(keccak256(abi.encode(account, amount))));
    }

    function _pair(bytes32 a, bytes32 b) internal pure returns (bytes32) {
        return a < b ? keccak256(abi.encode(a, b)) : keccak256(abi.encode(b, a));
    }

    function _posting(uint256 key, uint64 creators, uint64 solvers) internal view returns (Posting memory) {
        (uint64 number,,) = rewards.epoch();
        return _postingOf(key, number, creators + solvers, _root(creators, solvers));
    }

    function _postingOf(uint256 key, uint64 number, uint64 total, bytes32 root) internal view returns (Posting memory) {
        address account = vm.addr(key);
        return Posting(account, number, total, BOND, root, keccak256("data"), _nonce(account));
    }

    function _signPosting(uint256 key, Posting memory p) internal view returns (bytes memory) {
        bytes32 typehash = keccak256(
            "RewardPosting(address poster,uint64 epoch,uint64 total,uint64 bond,bytes32 root,bytes32 data,uint256 nonce)"
        );
        return _signBytes(key, abi.encode(typehash, p));
    }

    function _post(uint256 key, uint64 creators, uint64 solvers) internal {
        Posting memory p = _posting(key, creators, solvers);
        rewards.post(p, _signPosting(key, p));
    }

    function _claimCreator(uint64 creators, uint64 solvers) internal {
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = _leaf(solver, solvers);
        rewards.claim(creator, creators, proof);
    }

    function _claimSolver(uint64 creators, uint64 solvers) internal {
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = _leaf(creator, creators);
        rewards.claim(solver, solvers, proof);
    }

    function _ends() internal view returns (uint64 ends) {
        (, ends,) = rewards.epoch();
    }

    /// @dev Posts and finalizes an uncontested root.
    function _settleEpoch(uint64 creators, uint64 solvers) internal {
        if (block.timestamp < _ends()) vm.warp(_ends());
        _post(PROVIDER_KEY, creators, solvers);
        vm.warp(block.timestamp + 3 days + 1);
        rewards.finalize();
    }
}

/// @dev OpenZeppelin's Nonces.
interface INonces {
    error InvalidAccountNonce(address account, uint256 currentNonce);

    function nonces(address account) external view returns (uint256);
}
