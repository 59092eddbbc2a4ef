// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Batch, Commitment, Line, Opening, Session} from "./BatchTypes.sol";

/// @title Hashes of batches, and of what is signed about them
library BatchHash {
    bytes32 internal constant LINE_TYPEHASH = keccak256("Line(address payee,uint64 amount)");
    bytes32 internal constant STATEMENT_TYPEHASH = keccak256(
        "Statement(bytes32 batch,address creator,uint256 leaves,Line[] lines)Line(address payee,uint64 amount)"
    );
    bytes32 internal constant SESSION_TYPEHASH = keccak256(
        "Session(address account,address operator,uint64 cap,uint32 windowSeconds,bytes32 solversRoot,uint64 notBefore,uint64 expiry,uint64 nonce)"
    );
    bytes32 internal constant REVOKE_TYPEHASH = keccak256("RevokeSession(address account,uint64 nonce)");
    bytes32 internal constant DISOWN_TYPEHASH = keccak256("Disown(bytes32 batch,uint256 leaf)");
    bytes32 internal constant PROMISE_TYPEHASH =
        keccak256("OpeningPromise(bytes32 dealId,bytes32 terms,address solver,uint64 openBy)");
    bytes32 internal constant REVEAL_TYPEHASH =
        keccak256(
            "AuctionReveal(uint64 epoch,address solver,bytes32 solutionId,bytes32 certificateId,bytes32 salt)"
        );

    /// @dev Leaf `index` of the tree: hashed twice, so that no inner node passes for one.
    function leaf(uint256 index, bytes32 terms) internal pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(index, terms))));
    }

    /// @dev keccak256 of words joined.
    function words(uint256[] calldata list) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            let size := shl(5, list.length)
            calldatacopy(free, list.offset, size)
            hash := keccak256(free, size)
        }
    }

    /// @dev keccak256 of the hashes of each sixteen rows, joined: who opens one leaf brings sixteen rows and
    /// the other hashes.
    function rowsHash(uint256[] calldata list) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let hashes := mload(0x40)
            let to := hashes
            let left := shl(5, list.length)
            let scratch := add(hashes, shl(5, shr(9, add(left, 0x1e0))))
            let at := list.offset
            for {} gt(left, 0x200) { left := sub(left, 0x200) } {
                calldatacopy(scratch, at, 0x200)
                mstore(to, keccak256(scratch, 0x200))
                to := add(to, 0x20)
                at := add(at, 0x200)
            }
            calldatacopy(scratch, at, left)
            mstore(to, keccak256(scratch, left))
            hash := keccak256(hashes, sub(add(to, 0x20), hashes))
        }
    }

    /// @dev Id of a batch of this contract, on this chain.
    function id(Batch calldata b, uint256[] calldata owners, uint256[] calldata rows) internal view returns (bytes32) {
        bytes32 head = keccak256(abi.encode(b.solver, b.slot, b.root, b.committedAt, b.expiry, b.voided));
        return _id(head, words(owners), rowsHash(rows));
    }

    /// @dev Id of the batch that an opening belongs to.
    function idOf(Opening calldata o) internal view returns (bytes32) {
        uint256 place = o.leaf >> 4;
        bytes32[] memory hashes = new bytes32[](o.others.length + 1);
        for (uint256 i; i < o.others.length; ++i) {
            hashes[i < place ? i : i + 1] = o.others[i];
        }
        hashes[place] = words(o.rows);
        bytes32 head = keccak256(abi.encode(o.solver, o.slot, o.root, o.committedAt, o.expiry, o.voided));
        return _id(head, words(o.owners), keccak256(abi.encodePacked(hashes)));
    }

    /// @dev The id of what the caller commits now.
    function committed(
        Commitment calldata c,
        uint256 voided,
        uint256[] calldata owners,
        uint256[] calldata rows
    ) internal view returns (bytes32) {
        bytes32 head = keccak256(abi.encode(msg.sender, c.slot, c.root, block.timestamp, c.expiry, voided));
        return _id(head, words(owners), rowsHash(rows));
    }

    function _id(bytes32 head, bytes32 owners, bytes32 rows) private view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), head, owners, rows));
    }

    /// @dev Struct hash of Statement; its lines are those from `from` to before `to`.
    function statement(
        bytes32 batch,
        address creator,
        uint256 leaves,
        Line[] calldata lines,
        uint256 from,
        uint256 to
    ) internal pure returns (bytes32) {
        bytes32 all = keccak256("");
        if (to != from) {
            bytes32[] memory hashes = new bytes32[](to - from);
            for (uint256 i = from; i < to; ++i) {
                hashes[i - from] = keccak256(abi.encode(LINE_TYPEHASH, lines[i].payee, lines[i].amount));
            }
            all = keccak256(abi.encodePacked(hashes));
        }
        return keccak256(abi.encode(STATEMENT_TYPEHASH, batch, creator, leaves, all));
    }

    /// @dev Struct hash of Session.
    function session(Session calldata s) internal pure returns (bytes32) {
        return keccak256(abi.encode(SESSION_TYPEHASH, s));
    }
}
