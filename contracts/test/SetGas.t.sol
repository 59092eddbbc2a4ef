// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "./RewardsFixture.sol";

/// @dev The gas of what users of these contracts pay for often, to the unit, and the sizes of the code.
contract SetGasTest is RewardsFixture {
    uint256 private constant _FIRST_CLAIM = 49854;
    uint256 private constant _NEXT_CLAIM = 11854;
    uint256 private constant _TRANSFER = 22442;
    uint256 private constant _TRANSFER_BETWEEN_DELEGATED = 55712;

    function _gasOfClaim(uint64 creators, uint64 solvers) private returns (uint256) {
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = _leaf(solver, solvers);
        uint256 before = gasleft();
        rewards.claim(creator, creators, proof);
        return before - gasleft();
    }

    function _gasOfTransfer(address from, address to) private returns (uint256) {
        vm.prank(from);
        uint256 before = gasleft();
        token.transfer(to, LILY);
        return before - gasleft();
    }

    function test_claimsCostWhatTheSnapshotSays() public {
        _fund(1_000 * LILY);
        _settleEpoch(300, 700);
        eq(_gasOfClaim(300, 700), _FIRST_CLAIM, "first claim of an account");
        _settleEpoch(400, 700);
        eq(_gasOfClaim(400, 700), _NEXT_CLAIM, "next claim");
    }

    function test_transfersCostWhatTheSnapshotSays() public {
        eq(_gasOfTransfer(poster, rival), _TRANSFER, "between holders without delegates");
        vm.prank(poster);
        IVotes(address(token)).delegate(poster);
        vm.prank(rival);
        IVotes(address(token)).delegate(rival);
        vm.warp(block.timestamp + 1);
        eq(_gasOfTransfer(poster, rival), _TRANSFER_BETWEEN_DELEGATED, "between holders whose votes are delegated");
    }

    function test_everyContractCanBeDeployed() public view {
        address[6] memory all = [
            address(params),
            address(governor),
            address(timelock),
            address(rewards),
            address(modules),
            address(directory)
        ];
        for (uint256 i; i < all.length; ++i) {
            isTrue(all[i].code.length > 0 && all[i].code.length < 24_576, "code below 24,576 bytes");
        }
    }
}
