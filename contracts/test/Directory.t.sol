// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "./SetFixture.sol";
import {SmartAccount} from "./Sessions.t.sol";
import {Attestation, Delegation} from "../src/interfaces/IDirectory.sol";

/// @dev Delegations, attestations, revocations.
contract DirectoryTest is SetFixture {
    function _delegation(address account, uint64 nonce) private view returns (Delegation memory) {
        return Delegation(account, provider, keccak256("peer"), 18, START - 10, START + 1000, nonce);
    }

    function _attestation(uint64 nonce) private view returns (Attestation memory) {
        return Attestation(creator, provider, keccak256("gpu"), keccak256("h100"), START - 10, START + 1000, nonce);
    }

    function _sign(uint256 key, Delegation memory d) private view returns (bytes memory) {
        bytes32 typehash = keccak256(
            "Delegation(address account,address operator,bytes32 peerIdHash,uint16 roles,uint64 notBefore,uint64 expiry,uint64 nonce)"
        );
        return _signBytes(key, abi.encode(typehash, d));
    }

    function _sign(uint256 key, Attestation memory a) private view returns (bytes memory) {
        bytes32 typehash = keccak256(
            "Attestation(address issuer,address subject,bytes32 topic,bytes32 value,uint64 notBefore,uint64 expiry,uint64 nonce)"
        );
        return _signBytes(key, abi.encode(typehash, a));
    }

    function _expectBadNonce(uint64 nonce) private {
        _expectRevert(IDirectory.BadNonce.selector, nonce);
    }

    function test_aDelegationIsPublishedReplacedAndRevoked() public {
        Delegation memory d = _delegation(creator, 5);
        bytes memory signature = _sign(CREATOR_KEY, d);
        isTrue(directory.holdsDelegation(d, signature), "holds before it is published");
        vm.prank(stranger);
        directory.delegate(d, signature);
        eq(directory.delegationOf(creator, provider).roles, 18, "roles");
        _expectBadNonce(5);
        directory.delegate(d, signature); // a replay
        d.nonce = 6;
        vm.prank(creator);
        directory.delegate(d, "");
        eq(directory.delegationOf(creator, provider).nonce, 6, "replaced");
        bytes32 typehash = keccak256("RevokeDelegation(address account,address operator,uint64 nonce)");
        bytes memory revocation = _signBytes(CREATOR_KEY, abi.encode(typehash, creator, provider, uint64(7)));
        vm.prank(stranger);
        directory.revokeDelegation(creator, provider, 7, revocation);
        eq(directory.revokedBelow(creator, provider), 8, "revoked up to 7");
        isTrue(!directory.holdsDelegation(d, _sign(CREATOR_KEY, d)), "revoked");
        d.nonce = 7;
        isTrue(!directory.holdsDelegation(d, _sign(CREATOR_KEY, d)), "one that was never published too");
        vm.prank(creator);
        _expectBadNonce(7);
        directory.delegate(d, "");
        d.nonce = 8;
        isTrue(directory.holdsDelegation(d, _sign(CREATOR_KEY, d)), "the next counts");
        vm.prank(creator);
        directory.delegate(d, "");
        _expectBadNonce(7);
        directory.revokeDelegation(creator, provider, 7, revocation); // a replay
    }

    function test_theHighestNonceCanBeRevoked() public {
        vm.prank(creator);
        directory.revokeDelegation(creator, provider, type(uint64).max, "");
        Delegation memory d = _delegation(creator, type(uint64).max);
        isTrue(!directory.holdsDelegation(d, _sign(CREATOR_KEY, d)), "revoked");
    }

    function test_nobodySpeaksForAnother() public {
        Delegation memory d = _delegation(creator, 5);
        bytes memory byAnother = _sign(PROVIDER_KEY, d);
        vm.expectRevert(abi.encodeWithSignature("NotTheAccount(address)", creator));
        directory.delegate(d, byAnother);
        isTrue(!directory.holdsDelegation(d, byAnother), "delegation");
        vm.prank(provider);
        vm.expectRevert(abi.encodeWithSignature("NotTheAccount(address)", creator));
        directory.revokeDelegation(creator, provider, 5, "");
        Attestation memory a = _attestation(1);
        byAnother = _sign(PROVIDER_KEY, a);
        vm.expectRevert(abi.encodeWithSignature("NotTheAccount(address)", creator));
        directory.attest(a, byAnother);
        isTrue(!directory.holdsAttestation(a, byAnother), "attestation");
        vm.prank(provider);
        vm.expectRevert(abi.encodeWithSignature("NotTheAccount(address)", creator));
        directory.revokeAttestation(creator, 1, "");
    }

    function test_timeBoundsWhatHolds() public {
        Delegation memory d = _delegation(creator, 5);
        bytes memory signature = _sign(CREATOR_KEY, d);
        Attestation memory a = _attestation(5);
        bytes memory word = _sign(CREATOR_KEY, a);
        uint64[4] memory times = [START - 11, START - 10, START + 999, START + 1000];
        for (uint256 i; i < 4; ++i) {
            vm.warp(times[i]);
            isTrue(directory.holdsDelegation(d, signature) == (i == 1 || i == 2), "delegation");
            isTrue(directory.holdsAttestation(a, word) == (i == 1 || i == 2), "attestation");
        }
        _expectRevert(IDirectory.BadDelegation.selector);
        directory.delegate(d, signature);
        _expectRevert(IDirectory.BadAttestation.selector);
        directory.attest(a, word);
    }

    function test_malformedDelegationsAreRefused() public {
        for (uint256 i; i < 6; ++i) {
            Delegation memory d = _delegation(creator, 5);
            if (i == 0) d.operator = address(0);
            else if (i == 1) d.operator = creator;
            else if (i == 2) d.roles = 0;
            else if (i == 3) d.roles = 64;
            else if (i == 4) d.peerIdHash = 0;
            else d.notBefore = d.expiry;
            vm.prank(creator);
            _expectRevert(IDirectory.BadDelegation.selector);
            directory.delegate(d, "");
        }
    }

    function test_anAttestationIsPublishedReplacedAndRevoked() public {
        Attestation memory a = _attestation(3);
        bytes memory signature = _sign(CREATOR_KEY, a);
        isTrue(directory.holdsAttestation(a, signature), "holds before it is published");
        vm.prank(stranger);
        directory.attest(a, signature);
        isTrue(directory.attestationOf(creator, provider, a.topic).value == a.value, "value");
        _expectBadNonce(3);
        directory.attest(a, signature);
        bytes32 typehash = keccak256("RevokeAttestation(address issuer,uint64 nonce)");
        bytes memory revocation = _signBytes(CREATOR_KEY, abi.encode(typehash, creator, uint64(3)));
        vm.prank(stranger);
        directory.revokeAttestation(creator, 3, revocation);
        isTrue(!directory.holdsAttestation(a, signature), "revoked");
        isTrue(directory.isRevoked(creator, 3) && !directory.isRevoked(creator, 4), "that one only");
        _expectBadNonce(3);
        directory.revokeAttestation(creator, 3, revocation);
        vm.prank(creator);
        directory.revokeAttestation(creator, 9, "");
        a.nonce = 9; // never published, revoked beforehand
        vm.prank(creator);
        _expectBadNonce(9);
        directory.attest(a, "");
        (a.nonce, a.value) = (10, keccak256("a100"));
        vm.prank(creator);
        directory.attest(a, "");
        isTrue(directory.attestationOf(creator, provider, a.topic).value == a.value, "replaced");
    }

    function test_malformedAttestationsAreRefused() public {
        for (uint256 i; i < 3; ++i) {
            Attestation memory a = _attestation(1);
            if (i == 0) a.subject = address(0);
            else if (i == 1) a.topic = 0;
            else a.notBefore = a.expiry;
            vm.prank(creator);
            _expectRevert(IDirectory.BadAttestation.selector);
            directory.attest(a, "");
        }
    }

    function test_anAccountThatIsAContractDelegates() public {
        address smart = address(new SmartAccount(creator));
        Delegation memory d = _delegation(smart, 1);
        bytes memory signature = _sign(CREATOR_KEY, d);
        isTrue(directory.holdsDelegation(d, signature), "holds");
        directory.delegate(d, signature);
        eq(directory.delegationOf(smart, provider).nonce, 1, "published");
    }
}
