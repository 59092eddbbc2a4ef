// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice One version of a module. EIP-712:
/// ModuleVersion(address publisher,string name,string tag,bytes32 manifest,bytes32 parent,address payee,uint16 royaltyBp)
struct ModuleVersion {
    address publisher;
    string name;
    string tag;
    bytes32 manifest; // sha2-256 of the manifest; its CID is CIDv1, raw, of that
    bytes32 parent; // id of the version it is made from; zero: none
    address payee; // of the royalty; zero exactly if royaltyBp is
    uint16 royaltyBp; // of a job's price, in 1/10,000
}

/// @notice What is kept of a version: three words.
struct ModuleEntry {
    bytes32 manifest;
    bytes32 parent;
    address payee;
    uint16 royaltyBp;
    uint16 lineageBp; // its royalty and those of all it descends from
    uint8 depth; // versions it descends from
    uint48 publishedAt; // unix seconds; zero: no such version
}

/// @title Versions of modules, which nobody can change or take away
/// @notice A name is its publisher's own. No owner, no fee. Rules: protocol/module.md, "On chain".
interface IModules {
    /// @notice The version exists from now on; the name and tag stand only here.
    event Published(
        bytes32 indexed id, address indexed publisher, bytes32 indexed parent, string name, string tag, bytes32 manifest
    );

    /// @notice This publisher has published this name and tag.
    error AlreadyPublished(bytes32 id);
    /// @notice Name and tag have 1 to 64 bytes.
    error BadName();
    /// @notice The manifest is zero.
    error BadManifest();
    /// @notice There is no such version.
    error UnknownVersion(bytes32 id);
    /// @notice The royalty is above the bound of one version, or its payee is missing or needless.
    error BadRoyalty(uint16 royaltyBp);
    /// @notice The royalties of the version and all it descends from are together above their bound.
    error LineageTooDear(uint16 lineageBp);
    /// @notice The version would descend from more others than a resolver walks.
    error TooDeep();

    /// @notice Publishes a version by its publisher's signature; empty if it calls. Once for ever.
    function publish(ModuleVersion calldata version, bytes calldata signature) external returns (bytes32 id);

    /// @notice The id of a version: keccak256 of the publisher and the hashes of name and tag.
    function versionId(address publisher, string calldata name, string calldata tag) external pure returns (bytes32);

    /// @notice What is kept of a version; all zero if there is none.
    function entry(bytes32 id) external view returns (ModuleEntry memory);

    /// @notice Who gets how much of a job's price for this version: its own royalty first, then those of
    /// what it descends from, without the zeros.
    function royalties(bytes32 id) external view returns (address[] memory payees, uint16[] memory bp);
}
