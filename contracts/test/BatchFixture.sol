// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "./Fixture.sol";
import {Batch, Commitment, Line, Opening, Session, Statement} from "../src/libraries/BatchTypes.sol";
import {Order} from "../src/interfaces/IVault.sol";

/// @dev Owners with sessions, and builders for batches of up to a few leaves.
abstract contract BatchFixture is Fixture {
    uint32 internal constant BATCHED = type(uint32).max;
    uint8 internal constant NUMBER = 1;
    uint64 internal constant NONCE = 256 + NUMBER;
    uint64 internal constant STAKE = 1e9;
    uint256 internal constant SOLVER_KEY = 0xFEE;
    uint256 internal constant OTHER_KEY = 0xC1; // a second creator

    address internal other = vm.addr(OTHER_KEY);
    address[3] private _mediators =
        [vm.addr(MEDIATOR_KEY), vm.addr(MEDIATOR_KEY + 1), vm.addr(MEDIATOR_KEY + 2)];

    function setUp() public virtual override {
        Fixture.setUp();
        vault.deposit(other, FUNDS);
        vault.deposit(solver, FUNDS);
        vm.prank(solver);
        vault.addBond(FUNDS / 2);
        _endow(creator);
        _endow(other);
        _endow(provider);
    }

    /// @dev A session with all the account's money and a cap that binds nobody.
    function _endow(address account) internal {
        vm.prank(account);
        vault.authorise(_session(account, 1e16, 1 days, bytes32(0)), "");
        _fund(account, FUNDS - 100 * LILY);
    }

    function _session(address account, uint64 cap, uint32 window, bytes32 solvers)
        internal
        view
        returns (Session memory)
    {
        return Session(account, account, cap, window, solvers, 0, uint64(block.timestamp) + 365 days, NONCE);
    }

    function _fund(address account, uint64 amount) internal {
        Order memory o = Order(6, account, account, NUMBER, amount, vault.orderNonce(account));
        vm.prank(account);
        vault.order(o, "");
    }

    function _funds(address account) internal view returns (uint64 funds) {
        (funds,,) = vault.sessionOf(account, NUMBER);
    }

    // ---- building ----

    function _leafCore(address creator_, uint64 jobNumber) internal view returns (DealCore memory core) {
        core = _core(jobNumber);
        core.creator = creator_;
        core.lane = BATCHED;
        core.price = 10 * LILY;
        core.fee = LILY;
        core.collateral = 25 * LILY;
        core.reserve = 2 * LILY;
        core.openBy = uint64(block.timestamp) + 100;
    }

    function _sum(DealCore memory core) internal pure returns (uint64) {
        return core.price + core.fee + core.reserve + core.collateral;
    }

    /// @dev Owner words of creator, other and provider, ascending; and the index of an account.
    function _owners(uint64 jobNumber) internal view returns (uint256[] memory owners) {
        owners = new uint256[](3);
        owners[0] = uint160(creator);
        owners[1] = uint160(other);
        owners[2] = uint160(provider);
        for (uint256 i; i < 3; ++i) {
            for (uint256 j = i + 1; j < 3; ++j) {
                if (owners[j] < owners[i]) (owners[i], owners[j]) = (owners[j], owners[i]);
            }
        }
        for (uint256 i; i < 3; ++i) {
            owners[i] |= uint256(NUMBER) << 160 | uint256(jobNumber / 32) << 168;
        }
    }

    function _index(uint256[] memory owners, address account) internal pure returns (uint256 i) {
        while (uint160(owners[i]) != uint160(account)) ++i;
    }

    function _row(uint256[] memory owners, DealCore memory core) internal pure returns (uint256) {
        return _index(owners, core.creator) | _index(owners, core.provider) << 8
            | (uint256(core.jobNumber % 32) * 8 + core.attempt) << 16 | uint256(core.price) << 24
            | uint256(core.fee) << 80 | uint256(core.reserve) << 136 | uint256(core.collateral) << 192;
    }

    function _leafHash(uint256 i, DealCore memory core, DealRest memory rest) internal view returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(i, market.termsDigest(core, rest)))));
    }

    /// @dev Root and proofs of a tree of one to four leaves.
    function _tree(bytes32[] memory leaves) internal pure returns (bytes32 root, bytes32[][] memory proofs) {
        proofs = new bytes32[][](leaves.length);
        if (leaves.length == 1) return (leaves[0], proofs);
        bytes32 left = _pair(leaves[0], leaves[1]);
        if (leaves.length == 2) {
            proofs[0] = _path(leaves[1]);
            proofs[1] = _path(leaves[0]);
            return (left, proofs);
        }
        bytes32 right = leaves.length == 3 ? leaves[2] : _pair(leaves[2], leaves[3]);
        proofs[0] = _path(leaves[1], right);
        proofs[1] = _path(leaves[0], right);
        proofs[2] = leaves.length == 3 ? _path(left) : _path(leaves[3], left);
        if (leaves.length == 4) proofs[3] = _path(leaves[2], left);
        root = _pair(left, right);
    }

    function _pair(bytes32 a, bytes32 b) internal pure returns (bytes32) {
        return a < b ? keccak256(bytes.concat(a, b)) : keccak256(bytes.concat(b, a));
    }

    function _path(bytes32 a) internal pure returns (bytes32[] memory path) {
        path = new bytes32[](1);
        path[0] = a;
    }

    function _path(bytes32 a, bytes32 b) internal pure returns (bytes32[] memory path) {
        path = new bytes32[](2);
        (path[0], path[1]) = (a, b);
    }

    function _restIn(uint64 openBy) internal pure returns (DealRest memory rest) {
        rest = _rest();
        rest.startBy = openBy + 100;
    }

    /// @dev Commits these deals into `slot` as the solver does.
    function _commit(uint32 slot, DealCore[] memory cores) internal returns (Batch memory b, bytes32[][] memory proofs) {
        bytes32[] memory leaves = new bytes32[](cores.length);
        b.owners = _owners(cores[0].jobNumber);
        b.rows = new uint256[](cores.length);
        for (uint256 i; i < cores.length; ++i) {
            leaves[i] = _leafHash(i, cores[i], _restIn(cores[i].openBy));
            b.rows[i] = _row(b.owners, cores[i]);
        }
        (b.root, proofs) = _tree(leaves);
        _send(slot, b);
    }

    /// @dev Commits what stands in `b` and fills in the rest of it.
    function _send(uint32 slot, Batch memory b) internal {
        b.solver = solver;
        b.slot = slot;
        b.committedAt = uint64(block.timestamp);
        b.expiry = uint64(block.timestamp) + UNBONDING / 2;
        vm.prank(solver);
        bytes32 id;
        (id, b.voided) = batches.commit(Commitment(slot, b.expiry, b.root, b.owners, b.rows));
        isTrue(id == batches.batchId(b), "id as the page says");
    }

    function _statement(uint256 key, Batch memory b, uint256 leaves, Line[] memory lines)
        internal
        view
        returns (Statement memory)
    {
        return _statementFor(key, vm.addr(key), b, leaves, lines);
    }

    function _statementFor(uint256 key, address account, Batch memory b, uint256 leaves, Line[] memory lines)
        internal
        view
        returns (Statement memory)
    {
        bytes memory hashes;
        for (uint256 i; i < lines.length; ++i) {
            hashes = bytes.concat(
                hashes,
                keccak256(
                    abi.encode(keccak256("Line(address payee,uint64 amount)"), lines[i].payee, lines[i].amount)
                )
            );
        }
        Signature memory signature = _signStruct(
            key,
            abi.encode(
                keccak256(
                    "Statement(bytes32 batch,address creator,uint256 leaves,Line[] lines)Line(address payee,uint64 amount)"
                ),
                batches.batchId(b),
                account,
                leaves,
                keccak256(hashes)
            )
        );
        return Statement(uint8(_index(b.owners, account)), leaves, signature);
    }

    function _settle(uint256 key, Batch memory b, uint256 leaves) internal {
        Statement[] memory statements = new Statement[](1);
        statements[0] = _statement(key, b, leaves, new Line[](0));
        batches.settle(b, statements, new Line[](0));
    }

    /// @dev The opening of a leaf of a batch of at most sixteen.
    function _opening(Batch memory b, uint256 leaf, bytes32[] memory proof) internal pure returns (Opening memory) {
        return Opening(
            b.solver, b.slot, b.committedAt, b.expiry, b.root, b.voided, leaf, b.owners, b.rows, new bytes32[](0), proof
        );
    }

    function _claim(Batch memory b, uint256 leaf, DealCore memory core, bytes32[] memory proof) internal {
        DealRest memory rest = _restIn(core.openBy);
        bytes32 digest = market.termsDigest(core, rest);
        Signature memory creatorSig = _sign(core.creator == creator ? CREATOR_KEY : OTHER_KEY, digest);
        batches.claim(
            _opening(b, leaf, proof), core, market.restHash(rest), creatorSig, _sign(PROVIDER_KEY, digest)
        );
    }

    function _sig65(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    // ---- looking ----

    function _two() internal view returns (DealCore[] memory cores) {
        cores = new DealCore[](2);
        cores[0] = _leafCore(creator, 64);
        cores[1] = _leafCore(other, 64);
    }

    function _resolved(Batch memory b) internal view returns (uint256 resolved) {
        (, resolved) = batches.slotOf(b.solver, b.slot);
    }

    /// @dev The Vault's tokens are the sum of everything that belongs to anybody.
    function _expectAllSolvent() internal view {
        address[8] memory all = [
            creator, provider, solver, stranger, other, _mediators[0], _mediators[1], _mediators[2]
        ];
        uint256 sum = uint256(vault.pool()) + _funds(creator) + _funds(other) + _funds(provider);
        for (uint256 i; i < all.length; ++i) {
            Account memory a = vault.account(all[i]);
            sum += uint256(a.free) + a.locked + a.bond + a.unbonding;
        }
        eq(token.balanceOf(address(vault)), sum, "tokens are the sum of accounts, sessions and pool");
    }
}
