// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BitMaps} from "@openzeppelin/contracts/utils/structs/BitMaps.sol";
import {Attestation, Delegation, IDirectory} from "./interfaces/IDirectory.sol";
import {Relayed} from "./Relayed.sol";

/// @title Delegations, attestations, revocations
/// @dev Nonces only rise, revocations only add: a signature can do its work once.
contract Directory is IDirectory, Relayed {
    using BitMaps for BitMaps.BitMap;

    /// @dev All role bits of protocol/identity.md.
    uint16 private constant _ROLES = 63;

    bytes32 private constant _DELEGATION_TYPEHASH = keccak256(
        "Delegation(address account,address operator,bytes32 peerIdHash,uint16 roles,uint64 notBefore,uint64 expiry,uint64 nonce)"
    );
    bytes32 private constant _ATTESTATION_TYPEHASH = keccak256(
        "Attestation(address issuer,address subject,bytes32 topic,bytes32 value,uint64 notBefore,uint64 expiry,uint64 nonce)"
    );
    bytes32 private constant _REVOKE_DELEGATION_TYPEHASH =
        keccak256("RevokeDelegation(address account,address operator,uint64 nonce)");
    bytes32 private constant _REVOKE_ATTESTATION_TYPEHASH = keccak256("RevokeAttestation(address issuer,uint64 nonce)");

    struct Published {
        bytes32 content; // peer id hash, or value
        uint16 roles;
        uint64 notBefore;
        uint64 expiry; // zero: nothing here
        uint64 nonce;
    }

    mapping(address account => mapping(address operator => Published)) private _delegations;
    mapping(address issuer => mapping(address subject => mapping(bytes32 topic => Published))) private _attestations;
    /// @inheritdoc IDirectory
    mapping(address account => mapping(address operator => uint256)) public revokedBelow;
    mapping(address issuer => BitMaps.BitMap) private _revoked;

    constructor(address market) Relayed(market) {}

    /// @inheritdoc IDirectory
    function delegate(Delegation calldata d, bytes calldata signature) external {
        if (
            d.operator == address(0) || d.operator == d.account || d.roles == 0 || d.roles > _ROLES || d.peerIdHash == 0
                || d.expiry <= d.notBefore || d.expiry <= block.timestamp
        ) revert BadDelegation();
        Published storage p = _delegations[d.account][d.operator];
        if (d.nonce < revokedBelow[d.account][d.operator]) revert BadNonce(d.nonce);
        _requireAccount(d.account, _hash(d), signature);
        _publish(p, Published(d.peerIdHash, d.roles, d.notBefore, d.expiry, d.nonce));
        emit Delegated(d.account, d.operator, d.peerIdHash, d.roles, d.notBefore, d.expiry, d.nonce);
    }

    /// @inheritdoc IDirectory
    function revokeDelegation(address account, address operator, uint64 nonce, bytes calldata signature) external {
        if (nonce < revokedBelow[account][operator]) revert BadNonce(nonce);
        bytes32 hash = keccak256(abi.encode(_REVOKE_DELEGATION_TYPEHASH, account, operator, nonce));
        _requireAccount(account, hash, signature);
        revokedBelow[account][operator] = uint256(nonce) + 1;
        emit DelegationRevoked(account, operator, nonce);
    }

    /// @inheritdoc IDirectory
    function attest(Attestation calldata a, bytes calldata signature) external {
        if (a.subject == address(0) || a.topic == 0 || a.expiry <= a.notBefore || a.expiry <= block.timestamp) {
            revert BadAttestation();
        }
        if (isRevoked(a.issuer, a.nonce)) revert BadNonce(a.nonce);
        _requireAccount(a.issuer, _hash(a), signature);
        Published storage p = _attestations[a.issuer][a.subject][a.topic];
        _publish(p, Published(a.value, 0, a.notBefore, a.expiry, a.nonce));
        emit Attested(a.issuer, a.subject, a.topic, a.value, a.notBefore, a.expiry, a.nonce);
    }

    /// @inheritdoc IDirectory
    function revokeAttestation(address issuer, uint64 nonce, bytes calldata signature) external {
        if (isRevoked(issuer, nonce)) revert BadNonce(nonce);
        _requireAccount(issuer, keccak256(abi.encode(_REVOKE_ATTESTATION_TYPEHASH, issuer, nonce)), signature);
        _revoked[issuer].set(nonce);
        emit AttestationRevoked(issuer, nonce);
    }

    /// @inheritdoc IDirectory
    function delegationOf(address account, address operator) external view returns (Delegation memory d) {
        Published memory p = _delegations[account][operator];
        if (p.expiry != 0) d = Delegation(account, operator, p.content, p.roles, p.notBefore, p.expiry, p.nonce);
    }

    /// @inheritdoc IDirectory
    function attestationOf(address issuer, address subject, bytes32 topic)
        external
        view
        returns (Attestation memory a)
    {
        Published memory p = _attestations[issuer][subject][topic];
        if (p.expiry != 0) a = Attestation(issuer, subject, topic, p.content, p.notBefore, p.expiry, p.nonce);
    }

    /// @inheritdoc IDirectory
    function isRevoked(address issuer, uint64 nonce) public view returns (bool) {
        return _revoked[issuer].get(nonce);
    }

    /// @inheritdoc IDirectory
    function holdsDelegation(Delegation calldata d, bytes calldata signature) external view returns (bool) {
        return _isNow(d.notBefore, d.expiry) && d.nonce >= revokedBelow[d.account][d.operator]
            && _isSigned(d.account, _hash(d), signature);
    }

    /// @inheritdoc IDirectory
    function holdsAttestation(Attestation calldata a, bytes calldata signature) external view returns (bool) {
        return _isNow(a.notBefore, a.expiry) && !isRevoked(a.issuer, a.nonce)
            && _isSigned(a.issuer, _hash(a), signature);
    }

    function _publish(Published storage old, Published memory p) private {
        if (old.expiry != 0 && p.nonce <= old.nonce) revert BadNonce(p.nonce);
        old.content = p.content;
        (old.roles, old.notBefore, old.expiry, old.nonce) = (p.roles, p.notBefore, p.expiry, p.nonce);
    }

    function _isNow(uint64 notBefore, uint64 expiry) private view returns (bool) {
        return notBefore <= block.timestamp && block.timestamp < expiry;
    }

    function _hash(Delegation calldata d) private pure returns (bytes32) {
        return keccak256(abi.encode(_DELEGATION_TYPEHASH, d));
    }

    function _hash(Attestation calldata a) private pure returns (bytes32) {
        return keccak256(abi.encode(_ATTESTATION_TYPEHASH, a));
    }
}
