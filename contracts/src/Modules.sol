// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IModules, ModuleEntry, ModuleVersion} from "./interfaces/IModules.sol";
import {Relayed} from "./Relayed.sol";

/// @title Versions of modules
/// @dev A version's parent exists before it, so lineage has no circle; sum and depth of a lineage are kept
/// with each version, so both bounds are checked against the parent alone.
contract Modules is IModules, Relayed {
    /// @notice Most that one version may ask of a job's price, in 1/10,000.
    uint16 public constant MAX_ROYALTY_BP = 1_000;
    /// @notice Most that a version and all it descends from may ask together.
    uint16 public constant MAX_LINEAGE_BP = 3_000;
    /// @notice Most versions that one descends from: royalties are lines of a statement that all pay for.
    uint8 public constant MAX_DEPTH = 7;

    bytes32 private constant _TYPEHASH = keccak256(
        "ModuleVersion(address publisher,string name,string tag,bytes32 manifest,bytes32 parent,address payee,uint16 royaltyBp)"
    );

    mapping(bytes32 id => ModuleEntry) private _entries;

    constructor(address market) Relayed(market) {}

    /// @inheritdoc IModules
    function publish(ModuleVersion calldata v, bytes calldata signature) external returns (bytes32 id) {
        id = versionId(v.publisher, v.name, v.tag);
        if (!_isName(v.name) || !_isName(v.tag)) revert BadName();
        if (v.manifest == 0) revert BadManifest();
        if (_entries[id].publishedAt != 0) revert AlreadyPublished(id);
        _requireAccount(v.publisher, _hash(v), signature);
        if (v.royaltyBp > MAX_ROYALTY_BP || (v.royaltyBp == 0) != (v.payee == address(0))) revert BadRoyalty(v.royaltyBp);
        ModuleEntry memory e =
            ModuleEntry(v.manifest, v.parent, v.payee, v.royaltyBp, v.royaltyBp, 0, uint48(block.timestamp));
        if (v.parent != 0) {
            ModuleEntry memory parent = _entryOf(v.parent);
            if (parent.depth == MAX_DEPTH) revert TooDeep();
            e.depth = parent.depth + 1;
            e.lineageBp += parent.lineageBp;
            if (e.lineageBp > MAX_LINEAGE_BP) revert LineageTooDear(e.lineageBp);
        }
        _entries[id] = e;
        emit Published(id, v.publisher, v.parent, v.name, v.tag, v.manifest);
    }

    /// @inheritdoc IModules
    function entry(bytes32 id) external view returns (ModuleEntry memory) {
        return _entries[id];
    }

    /// @inheritdoc IModules
    function royalties(bytes32 id) external view returns (address[] memory payees, uint16[] memory bp) {
        ModuleEntry memory e = _entryOf(id);
        payees = new address[](e.depth + 1);
        bp = new uint16[](e.depth + 1);
        uint256 count;
        for (;;) {
            if (e.royaltyBp != 0) {
                (payees[count], bp[count]) = (e.payee, e.royaltyBp);
                ++count;
            }
            if (e.parent == 0) break;
            e = _entries[e.parent];
        }
        assembly ("memory-safe") {
            mstore(payees, count)
            mstore(bp, count)
        }
    }

    /// @inheritdoc IModules
    function versionId(address publisher, string calldata name, string calldata tag) public pure returns (bytes32) {
        return keccak256(abi.encode(publisher, keccak256(bytes(name)), keccak256(bytes(tag))));
    }

    function _entryOf(bytes32 id) private view returns (ModuleEntry memory e) {
        e = _entries[id];
        if (e.publishedAt == 0) revert UnknownVersion(id);
    }

    function _isName(string calldata text) private pure returns (bool) {
        return bytes(text).length != 0 && bytes(text).length <= 64;
    }

    function _hash(ModuleVersion calldata v) private pure returns (bytes32) {
        return keccak256(
            abi.encode(
                _TYPEHASH,
                v.publisher,
                keccak256(bytes(v.name)),
                keccak256(bytes(v.tag)),
                v.manifest,
                v.parent,
                v.payee,
                v.royaltyBp
            )
        );
    }
}
