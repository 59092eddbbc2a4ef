// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "./SetFixture.sol";

/// @dev Votes over parameters, all of it sent by somebody who has no vote.
contract GovernanceTest is SetFixture {
    address[] private _targets;
    uint256[] private _values;
    bytes[] private _calls;
    string private constant _WHY = "a smaller bond";
    bytes32 private _domain;

    function setUp() public override {
        super.setUp();
        token.transfer(creator, 30_000_000 * LILY);
        token.transfer(provider, 19_000_000 * LILY);
        vm.prank(creator);
        IVotes(address(token)).delegate(creator);
        vm.prank(provider);
        IVotes(address(token)).delegate(provider);
        vm.warp(START + 10);
        _ask(address(params), abi.encodeCall(IParams.set, (Param.PosterBond, 500 * LILY)));
        _domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("lilynode Governor"),
                keccak256("1"),
                block.chainid,
                address(governor)
            )
        );
    }

    function _ask(address target, bytes memory data) private {
        (_targets, _values, _calls) = (new address[](1), new uint256[](1), new bytes[](1));
        (_targets[0], _calls[0]) = (target, data);
    }

    function _id() private view returns (uint256) {
        return governor.hashProposal(_targets, _values, _calls, keccak256(bytes(_WHY)));
    }

    function _signed(uint256 key, bytes memory encoded) private view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, keccak256(abi.encodePacked("\x19\x01", _domain, keccak256(encoded))));
        return abi.encodePacked(r, s, v);
    }

    function _proposal(uint256 key, uint64 deadline) private view returns (bytes memory) {
        bytes32 typehash = keccak256("Propose(address proposer,uint256 proposalId,uint64 deadline)");
        return _signed(key, abi.encode(typehash, vm.addr(key), _id(), deadline));
    }

    function _propose() private {
        bytes memory signature = _proposal(CREATOR_KEY, type(uint64).max);
        governor.proposeBySig(_targets, _values, _calls, _WHY, creator, type(uint64).max, signature);
    }

    function _vote(uint256 key, uint8 support) private {
        bytes32 typehash = keccak256("Ballot(uint256 proposalId,uint8 support,address voter,uint256 nonce)");
        bytes memory signature = _signed(key, abi.encode(typehash, _id(), support, vm.addr(key), uint256(0)));
        governor.castVoteBySig(_id(), support, vm.addr(key), signature);
    }

    function _carry() private {
        _propose();
        vm.warp(block.timestamp + 1 days + 1);
        _vote(CREATOR_KEY, 1);
        vm.warp(block.timestamp + 3 days);
    }

    function _queue() private {
        governor.queue(_targets, _values, _calls, keccak256(bytes(_WHY)));
    }

    function _execute() private {
        governor.execute(_targets, _values, _calls, keccak256(bytes(_WHY)));
    }

    function test_aVoteChangesAParameterAfterTheDelay() public {
        _carry();
        _queue();
        vm.warp(block.timestamp + 2 days - 1);
        vm.expectRevert();
        _execute();
        vm.warp(block.timestamp + 1);
        vm.prank(stranger);
        _execute();
        eq(params.get(Param.PosterBond), 500 * LILY, "changed");
    }

    function test_aVoteCannotLeaveTheBounds() public {
        _ask(address(params), abi.encodeCall(IParams.set, (Param.PosterBond, 1)));
        _carry();
        _queue();
        vm.warp(block.timestamp + 2 days);
        vm.expectRevert(
            abi.encodeWithSelector(IParams.OutOfBounds.selector, Param.PosterBond, 1, 100 * LILY, 1_000_000 * LILY)
        );
        _execute();
    }

    function test_aVoteBelowTheQuorumChangesNothing() public {
        _propose();
        vm.warp(block.timestamp + 1 days + 1);
        _vote(PROVIDER_KEY, 1); // 19 million, 20 are needed
        vm.warp(block.timestamp + 3 days);
        eq(uint256(governor.state(_id())), uint256(IGovernor.ProposalState.Defeated), "state");
        vm.expectRevert();
        _queue();
    }

    function test_tokensInTheVaultDoNotVote() public {
        vm.prank(creator);
        token.approve(address(vault), 30_000_000 * LILY);
        vm.prank(creator);
        vault.deposit(creator, 30_000_000 * LILY);
        vm.warp(block.timestamp + 1);
        bytes memory signature = _proposal(CREATOR_KEY, type(uint64).max);
        vm.expectRevert(
            abi.encodeWithSelector(IGovernor.GovernorInsufficientProposerVotes.selector, creator, 0, 100_000 * LILY)
        );
        governor.proposeBySig(_targets, _values, _calls, _WHY, creator, type(uint64).max, signature);
    }

    function test_onlyTheProposersOwnSignatureInTimeProposes() public {
        bytes memory byAnother = _proposal(STRANGER_KEY, 5_000_000);
        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorInvalidSignature.selector, creator));
        governor.proposeBySig(_targets, _values, _calls, _WHY, creator, 5_000_000, byAnother);
        bytes memory own = _proposal(CREATOR_KEY, START);
        _expectRevert(ILilyGovernor.TooLate.selector, START);
        governor.proposeBySig(_targets, _values, _calls, _WHY, creator, START, own);
        _propose();
        own = _proposal(CREATOR_KEY, type(uint64).max);
        vm.expectRevert(); // the same again
        governor.proposeBySig(_targets, _values, _calls, _WHY, creator, type(uint64).max, own);
    }

    function test_aProposerCancelsBeforeTheVoteBySignature() public {
        _propose();
        bytes32 typehash = keccak256("Cancel(address proposer,uint256 proposalId)");
        bytes memory byAnother = _signed(PROVIDER_KEY, abi.encode(typehash, creator, _id()));
        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorInvalidSignature.selector, creator));
        governor.cancelBySig(_targets, _values, _calls, keccak256(bytes(_WHY)), byAnother);
        bytes memory own = _signed(CREATOR_KEY, abi.encode(typehash, creator, _id()));
        governor.cancelBySig(_targets, _values, _calls, keccak256(bytes(_WHY)), own);
        eq(uint256(governor.state(_id())), uint256(IGovernor.ProposalState.Canceled), "state");
    }

    function test_noProposalIsCanceledOnceTheVoteRuns() public {
        _propose();
        vm.warp(block.timestamp + 1 days + 1);
        bytes32 typehash = keccak256("Cancel(address proposer,uint256 proposalId)");
        bytes memory own = _signed(CREATOR_KEY, abi.encode(typehash, creator, _id()));
        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorUnableToCancel.selector, _id(), creator));
        governor.cancelBySig(_targets, _values, _calls, keccak256(bytes(_WHY)), own);
    }

    function test_theTimelocksRolesAreCode() public {
        bytes32 proposer = keccak256("PROPOSER_ROLE");
        isTrue(timelock.hasRole(proposer, address(governor)), "the Governor proposes");
        isTrue(!timelock.hasRole(proposer, address(this)), "the deployer does not");
        isTrue(!timelock.hasRole(bytes32(0), address(timelock)), "no admin, not even itself");
        isTrue(timelock.hasRole(keccak256("EXECUTOR_ROLE"), address(0)), "anyone executes");
        vm.prank(address(timelock));
        vm.expectRevert();
        timelock.grantRole(proposer, stranger);
        vm.expectRevert();
        timelock.schedule(address(params), 0, "", 0, 0, 30 days);
    }

    function test_noVoteShortensTheDelayPastItsBound() public {
        vm.prank(address(timelock));
        _expectRevert(ILilyTimelock.DelayIsAParameter.selector);
        timelock.updateDelay(0);
        vm.prank(address(timelock));
        params.set(Param.TimelockDelay, 9 days);
        eq(timelock.getMinDelay(), 9 days, "the delay is the parameter");
    }

    function test_theGovernorKeepsItsTimelock() public {
        (bool done, bytes memory reason) =
            address(governor).call(abi.encodeWithSignature("updateTimelock(address)", stranger));
        isTrue(!done && bytes4(reason) == ILilyGovernor.TimelockIsFixed.selector, "refused");
        isTrue(governor.timelock() == address(timelock), "the Timelock");
        eq(governor.votingDelay(), 1 days, "delay");
        eq(governor.votingPeriod(), 3 days, "period");
        eq(governor.proposalThreshold(), 100_000 * LILY, "threshold");
    }
}
