// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "./SetFixture.sol";
import {SmartAccount} from "./Sessions.t.sol";
import {ModuleEntry, ModuleVersion} from "../src/interfaces/IModules.sol";

/// @dev Versions, lineage, royalties.
contract ModulesTest is SetFixture {
    bytes32 private constant _TYPEHASH = keccak256(
        "ModuleVersion(address publisher,string name,string tag,bytes32 manifest,bytes32 parent,address payee,uint16 royaltyBp)"
    );

    function _version(address publisher, string memory tag) private pure returns (ModuleVersion memory) {
        return ModuleVersion(publisher, "cowsay", tag, keccak256(bytes(tag)), 0, address(0), 0);
    }

    function _signVersion(uint256 key, ModuleVersion memory v) private view returns (bytes memory) {
        return _signBytes(
            key,
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

    function _publish(ModuleVersion memory v) private returns (bytes32) {
        vm.prank(v.publisher);
        return modules.publish(v, "");
    }

    function test_aVersionStandsForGood() public {
        ModuleVersion memory v = _version(creator, "v1");
        bytes memory signature = _signVersion(CREATOR_KEY, v);
        vm.prank(stranger);
        bytes32 id = modules.publish(v, signature);
        isTrue(id == modules.versionId(creator, "cowsay", "v1"), "id");
        ModuleEntry memory e = modules.entry(id);
        isTrue(e.manifest == v.manifest, "manifest");
        eq(e.publishedAt, START, "publishedAt");
        v.manifest = keccak256("another");
        vm.prank(creator);
        vm.expectRevert(abi.encodeWithSelector(IModules.AlreadyPublished.selector, id));
        modules.publish(v, "");
        v.publisher = provider;
        isTrue(_publish(v) != id, "the same name of another publisher is another module");
    }

    function test_aVersionIsItsPublishersWord() public {
        ModuleVersion memory v = _version(creator, "v1");
        bytes memory byAnother = _signVersion(PROVIDER_KEY, v);
        vm.expectRevert(abi.encodeWithSignature("NotTheAccount(address)", creator));
        modules.publish(v, byAnother);
        bytes memory own = _signVersion(CREATOR_KEY, v);
        v.manifest = keccak256("swapped");
        vm.expectRevert(abi.encodeWithSignature("NotTheAccount(address)", creator));
        modules.publish(v, own);
        vm.prank(provider);
        vm.expectRevert(abi.encodeWithSignature("NotTheAccount(address)", creator));
        modules.publish(v, "");
    }

    function test_anAccountThatIsAContractPublishes() public {
        ModuleVersion memory v = _version(address(new SmartAccount(creator)), "v1");
        bytes32 id = modules.publish(v, _signVersion(CREATOR_KEY, v));
        eq(modules.entry(id).publishedAt, START, "published");
    }

    function test_fieldsOutsideTheirLimitsAreRefused() public {
        ModuleVersion memory v = _version(creator, "");
        _expectRefusal(v, IModules.BadName.selector);
        v = _version(creator, "v1");
        v.name = "";
        _expectRefusal(v, IModules.BadName.selector);
        v.name = "0123456789012345678901234567890123456789012345678901234567890123";
        _publish(v); // 64
        v.name = string.concat(v.name, "4");
        _expectRefusal(v, IModules.BadName.selector);
        v = _version(creator, "v1");
        v.manifest = 0;
        _expectRefusal(v, IModules.BadManifest.selector);
        v = _version(creator, "v1");
        v.parent = keccak256("nowhere");
        vm.prank(creator);
        vm.expectRevert(abi.encodeWithSelector(IModules.UnknownVersion.selector, v.parent));
        modules.publish(v, "");
    }

    function _expectRefusal(ModuleVersion memory v, bytes4 selector) private {
        vm.prank(creator);
        _expectRevert(selector);
        modules.publish(v, "");
    }

    function testFuzz_aRoyaltyIsBoundedAndHasAPayee(uint16 royaltyBp, address payee) public {
        ModuleVersion memory v = _version(creator, "v1");
        (v.royaltyBp, v.payee) = (royaltyBp, payee);
        vm.prank(creator);
        if (royaltyBp > 1_000 || (royaltyBp == 0) != (payee == address(0))) {
            vm.expectRevert(abi.encodeWithSelector(IModules.BadRoyalty.selector, royaltyBp));
        }
        modules.publish(v, "");
    }

    function test_royaltiesFollowLineageWithinTheirBound() public {
        ModuleVersion memory v = _version(creator, "v1");
        (v.payee, v.royaltyBp) = (creator, 1_000);
        bytes32 first = _publish(v);
        v = _version(provider, "v2");
        v.parent = first; // no royalty of its own
        bytes32 second = _publish(v);
        v = _version(solver, "v3");
        (v.parent, v.payee, v.royaltyBp) = (second, solver, 1_000);
        bytes32 third = _publish(v);
        (address[] memory payees, uint16[] memory bp) = modules.royalties(third);
        eq(payees.length, 2, "two lines");
        isTrue(payees[0] == solver && payees[1] == creator, "its own first");
        eq(uint256(bp[0]) + bp[1], 2_000, "shares");
        eq(modules.entry(third).lineageBp, 2_000, "sum");
        v = _version(stranger, "v4");
        (v.parent, v.payee, v.royaltyBp) = (third, stranger, 1_000);
        bytes32 fourth = _publish(v);
        v = _version(stranger, "v5");
        (v.parent, v.payee, v.royaltyBp) = (fourth, stranger, 1);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IModules.LineageTooDear.selector, 3_001));
        modules.publish(v, "");
        (payees,) = modules.royalties(fourth);
        eq(payees.length, 3, "three lines");
        vm.expectRevert(abi.encodeWithSelector(IModules.UnknownVersion.selector, bytes32(0)));
        modules.royalties(0);
    }

    function test_lineageHasAnEnd() public {
        bytes32 parent;
        for (uint256 i; i < 8; ++i) {
            ModuleVersion memory v = _version(creator, vm.toString(i));
            (v.parent, v.payee, v.royaltyBp) = (parent, creator, 300);
            parent = _publish(v);
        }
        eq(modules.entry(parent).depth, 7, "depth");
        (address[] memory payees,) = modules.royalties(parent);
        eq(payees.length, 8, "lines");
        ModuleVersion memory last = _version(creator, "8");
        last.parent = parent;
        _expectRefusal(last, IModules.TooDeep.selector);
    }
}
