// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice An account lets an operator key speak for it: the delegation that records carry, so one
/// signature serves both. EIP-712:
/// Delegation(address account,address operator,bytes32 peerIdHash,uint16 roles,uint64 notBefore,uint64 expiry,uint64 nonce)
struct Delegation {
    address account;
    address operator;
    bytes32 peerIdHash; // keccak256 of the peer id's text
    uint16 roles; // sum of role bits
    uint64 notBefore; // unix seconds
    uint64 expiry;
    uint64 nonce;
}

/// @notice An issuer says something about a subject. EIP-712:
/// Attestation(address issuer,address subject,bytes32 topic,bytes32 value,uint64 notBefore,uint64 expiry,uint64 nonce)
struct Attestation {
    address issuer;
    address subject;
    bytes32 topic; // keccak256 of the topic's name
    bytes32 value; // meaning by topic
    uint64 notBefore; // unix seconds
    uint64 expiry;
    uint64 nonce; // of the issuer; names the attestation when it is revoked
}

/// @title Who speaks for whom, who said what of whom, and what of it was taken back
/// @notice Delegations and attestations count off chain by their signatures; here they can be published
/// and revoked. Nobody but account and issuer decides. Rules: protocol/identity.md, "Directory".
interface IDirectory {
    /// @notice The delegation stands here; it replaces an earlier one of account and operator.
    event Delegated(
        address indexed account,
        address indexed operator,
        bytes32 peerIdHash,
        uint16 roles,
        uint64 notBefore,
        uint64 expiry,
        uint64 nonce
    );
    /// @notice No delegation of account and operator with this nonce or a lower one counts any more.
    event DelegationRevoked(address indexed account, address indexed operator, uint64 nonce);
    /// @notice The attestation stands here; it replaces an earlier one of issuer, subject and topic.
    event Attested(
        address indexed issuer,
        address indexed subject,
        bytes32 indexed topic,
        bytes32 value,
        uint64 notBefore,
        uint64 expiry,
        uint64 nonce
    );
    /// @notice The issuer's attestation with this nonce does not count any more.
    event AttestationRevoked(address indexed issuer, uint64 nonce);

    /// @notice A field is zero, beyond its limit, or the time is over.
    error BadDelegation();
    /// @notice The time is over, or a field is zero.
    error BadAttestation();
    /// @notice A higher nonce, or this one, stands here already or is revoked.
    error BadNonce(uint64 nonce);

    /// @notice Publishes a delegation by its account's signature; empty if it calls.
    function delegate(Delegation calldata delegation, bytes calldata signature) external;

    /// @notice Revokes all delegations up to `nonce` of an account to an operator, published or not, by
    /// the account's signature over RevokeDelegation(address account,address operator,uint64 nonce).
    function revokeDelegation(address account, address operator, uint64 nonce, bytes calldata signature) external;

    /// @notice Publishes an attestation by its issuer's signature; empty if it calls.
    function attest(Attestation calldata attestation, bytes calldata signature) external;

    /// @notice Revokes one attestation, published or not, by the issuer's signature over
    /// RevokeAttestation(address issuer,uint64 nonce).
    function revokeAttestation(address issuer, uint64 nonce, bytes calldata signature) external;

    /// @notice What stands here, whether in force or not; zeros if nothing.
    function delegationOf(address account, address operator) external view returns (Delegation memory);

    /// @notice What stands here, whether in force or not; zeros if nothing.
    function attestationOf(address issuer, address subject, bytes32 topic) external view returns (Attestation memory);

    /// @notice Delegations with a nonce below are revoked.
    function revokedBelow(address account, address operator) external view returns (uint256);

    /// @notice Whether the issuer's attestation with this nonce is revoked.
    function isRevoked(address issuer, uint64 nonce) external view returns (bool);

    /// @notice Whether a delegation that was shown off chain is signed, in force now and not revoked.
    function holdsDelegation(Delegation calldata delegation, bytes calldata signature) external view returns (bool);

    /// @notice Whether an attestation that was shown off chain is signed, in force now and not revoked.
    function holdsAttestation(Attestation calldata attestation, bytes calldata signature) external view returns (bool);
}
