// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "./BatchFixture.sol";

/// @dev The gas of the calls that every job pays for, to the unit, and the sizes of the contracts. A
/// change that moves a figure says so here; `bench -- gas` measures whole transactions.
contract GasTest is BatchFixture {
    uint256 private constant _MAX_CODE = 24_576;

    uint256 private constant _OPEN = 75309;
    uint256 private constant _SETTLE = 12388;
    uint256 private constant _COMMIT_TWO = 130397;
    uint256 private constant _SETTLE_ONE_OF_TWO = 16346;
    uint256 private constant _CLAIM = 58371;

    function test_theDirectPathCostsWhatTheSnapshotSays() public {
        DealCore memory core = _core(1);
        (core.price, core.fee, core.collateral, core.reserve) = (LILY, 0, 3 * LILY, 0);
        bytes32 restHash = market.restHash(_rest());
        bytes32 digest = market.termsDigest(core, _rest());
        Signature memory creatorSig = _sign(CREATOR_KEY, digest);
        Signature memory providerSig = _sign(PROVIDER_KEY, digest);
        uint256 before = gasleft();
        market.open(core, restHash, creatorSig, providerSig);
        eq(before - gasleft(), _OPEN, "open");
        creatorSig = _acceptance(CREATOR_KEY, core, MANIFEST);
        before = gasleft();
        market.settle(core, restHash, MANIFEST, creatorSig);
        eq(before - gasleft(), _SETTLE, "settle");
    }

    function test_theBatchedPathCostsWhatTheSnapshotSays() public {
        DealCore[] memory cores = _two();
        Batch memory b;
        b.owners = _owners(64);
        b.rows = new uint256[](2);
        bytes32[] memory leaves = new bytes32[](2);
        for (uint256 i; i < 2; ++i) {
            b.rows[i] = _row(b.owners, cores[i]);
            leaves[i] = _leafHash(i, cores[i], _restIn(cores[i].openBy));
        }
        bytes32[][] memory proofs;
        (b.root, proofs) = _tree(leaves);
        (b.solver, b.committedAt, b.expiry) = (solver, uint64(block.timestamp), uint64(block.timestamp) + 1000);
        eq(_gasOfCommit(b), _COMMIT_TWO, "commit of two leaves");
        eq(_gasOfSettle(b), _SETTLE_ONE_OF_TWO, "settlement of one of two leaves");
        eq(_gasOfClaim(b, cores[1], proofs[1]), _CLAIM, "claim");
    }

    function _gasOfCommit(Batch memory b) private returns (uint256) {
        Commitment memory c = Commitment(0, b.expiry, b.root, b.owners, b.rows);
        vm.prank(solver);
        uint256 before = gasleft();
        batches.commit(c);
        return before - gasleft();
    }

    function _gasOfSettle(Batch memory b) private returns (uint256) {
        Statement[] memory statements = new Statement[](1);
        statements[0] = _statement(CREATOR_KEY, b, 1, new Line[](0));
        Line[] memory none = new Line[](0);
        uint256 before = gasleft();
        batches.settle(b, statements, none);
        return before - gasleft();
    }

    function _gasOfClaim(Batch memory b, DealCore memory core, bytes32[] memory proof) private returns (uint256) {
        bytes32 restHash = market.restHash(_restIn(core.openBy));
        bytes32 digest = market.termsDigest(core, _restIn(core.openBy));
        Signature memory creatorSig = _sign(OTHER_KEY, digest);
        Signature memory providerSig = _sign(PROVIDER_KEY, digest);
        Opening memory opening = _opening(b, 1, proof);
        uint256 before = gasleft();
        batches.claim(opening, core, restHash, creatorSig, providerSig);
        return before - gasleft();
    }

    function test_everyContractCanBeDeployed() public view {
        address[6] memory all = [
            address(token), address(vault), address(market), address(court), address(batches), address(vouchers)
        ];
        for (uint256 i; i < all.length; ++i) {
            isTrue(all[i].code.length > 0 && all[i].code.length < _MAX_CODE, "code below 24,576 bytes");
        }
    }
}
