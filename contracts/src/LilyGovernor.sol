// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Governor} from "@openzeppelin/contracts/governance/Governor.sol";
import {GovernorCountingSimple} from "@openzeppelin/contracts/governance/extensions/GovernorCountingSimple.sol";
import {GovernorTimelockControl} from "@openzeppelin/contracts/governance/extensions/GovernorTimelockControl.sol";
import {GovernorVotes} from "@openzeppelin/contracts/governance/extensions/GovernorVotes.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IParams, Param} from "./interfaces/IParams.sol";

/// @title Votes by LILY over the bounded parameters and over what only people can judge
/// @dev OpenZeppelin's Governor with its settings in Params. Votes by signature are its own; proposing
/// and cancelling by signature are added here, under the Governor's own EIP-712 domain.
contract LilyGovernor is Governor, GovernorCountingSimple, GovernorVotes, GovernorTimelockControl {
    bytes32 private constant _PROPOSE_TYPEHASH = keccak256("Propose(address proposer,uint256 proposalId,uint64 deadline)");
    bytes32 private constant _CANCEL_TYPEHASH = keccak256("Cancel(address proposer,uint256 proposalId)");

    /// @notice For and abstaining votes together must reach this: 2 % of the supply.
    uint256 public constant QUORUM = 20_000_000 * 1e9;

    IParams public immutable PARAMS;

    /// @notice The signature was good until `deadline`.
    error TooLate(uint256 deadline);
    /// @notice The Timelock is fixed.
    error TimelockIsFixed();

    constructor(IVotes token, TimelockController timelock_, IParams params)
        Governor("lilynode Governor")
        GovernorVotes(token)
        GovernorTimelockControl(timelock_)
    {
        PARAMS = params;
    }

    /// @notice `propose` by the proposer's signature. A proposal exists once, so no nonce is needed.
    function proposeBySig(
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        string memory description,
        address proposer,
        uint64 deadline,
        bytes memory signature
    ) external returns (uint256 proposalId) {
        if (block.timestamp > deadline) revert TooLate(deadline);
        proposalId = getProposalId(targets, values, calldatas, keccak256(bytes(description)));
        _requireSigned(proposer, keccak256(abi.encode(_PROPOSE_TYPEHASH, proposer, proposalId, deadline)), signature);
        if (!_isValidDescriptionForProposer(proposer, description)) revert GovernorRestrictedProposer(proposer);
        uint256 held = getVotes(proposer, clock() - 1);
        if (held < proposalThreshold()) revert GovernorInsufficientProposerVotes(proposer, held, proposalThreshold());
        return _propose(targets, values, calldatas, description, proposer);
    }

    /// @notice `cancel`, before the vote begins, by the proposer's signature.
    function cancelBySig(
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash,
        bytes memory signature
    ) external returns (uint256 proposalId) {
        proposalId = getProposalId(targets, values, calldatas, descriptionHash);
        address proposer = proposalProposer(proposalId);
        _requireSigned(proposer, keccak256(abi.encode(_CANCEL_TYPEHASH, proposer, proposalId)), signature);
        if (!_validateCancel(proposalId, proposer)) revert GovernorUnableToCancel(proposalId, proposer);
        return _cancel(targets, values, calldatas, descriptionHash);
    }

    /// @notice Seconds from a proposal to its vote.
    function votingDelay() public view override returns (uint256) {
        return PARAMS.get(Param.VotingDelay);
    }

    /// @notice Seconds of a vote.
    function votingPeriod() public view override returns (uint256) {
        return PARAMS.get(Param.VotingPeriod);
    }

    /// @notice Votes that a proposer must have, in nLILY.
    function proposalThreshold() public view override returns (uint256) {
        return PARAMS.get(Param.ProposalThreshold);
    }

    /// @notice The supply never changes, nor does its part.
    function quorum(uint256) public pure override returns (uint256) {
        return QUORUM;
    }

    /// @notice Not possible: reverts.
    function updateTimelock(TimelockController) public pure override {
        revert TimelockIsFixed();
    }

    // ---- what Solidity wants said where two parents meet ----

    /// @inheritdoc GovernorTimelockControl
    function state(uint256 proposalId) public view override(Governor, GovernorTimelockControl) returns (ProposalState) {
        return super.state(proposalId);
    }

    /// @inheritdoc GovernorTimelockControl
    function proposalNeedsQueuing(uint256 proposalId)
        public
        view
        override(Governor, GovernorTimelockControl)
        returns (bool)
    {
        return super.proposalNeedsQueuing(proposalId);
    }

    function _queueOperations(
        uint256 proposalId,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) returns (uint48) {
        return super._queueOperations(proposalId, targets, values, calldatas, descriptionHash);
    }

    function _executeOperations(
        uint256 proposalId,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) {
        super._executeOperations(proposalId, targets, values, calldatas, descriptionHash);
    }

    function _cancel(
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) returns (uint256) {
        return super._cancel(targets, values, calldatas, descriptionHash);
    }

    function _executor() internal view override(Governor, GovernorTimelockControl) returns (address) {
        return super._executor();
    }

    function _requireSigned(address account, bytes32 structHash, bytes memory signature) private view {
        if (!SignatureChecker.isValidSignatureNow(account, _hashTypedDataV4(structHash), signature)) {
            revert GovernorInvalidSignature(account);
        }
    }
}
