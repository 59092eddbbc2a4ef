// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {IParams, Param} from "./interfaces/IParams.sol";

/// @title Who acts on votes, after a delay: owner of Params, judge of Rewards
/// @dev Roles and delay are code and Params, not storage: the code's hash tells who may do what, and no
/// vote can add a proposer or drop the delay below its bound.
contract LilyTimelock is TimelockController {
    /// @notice The only proposer and canceller.
    address public immutable GOVERNOR;
    IParams public immutable PARAMS;

    /// @notice The delay is the parameter TimelockDelay.
    error DelayIsAParameter();

    /// @param governor the address that the Governor has or will have.
    constructor(address governor, IParams params) TimelockController(0, new address[](0), new address[](0), address(0)) {
        GOVERNOR = governor;
        PARAMS = params;
    }

    /// @notice The Governor proposes and cancels; anyone executes what is due; nobody grants roles.
    function hasRole(bytes32 role, address account) public view override returns (bool) {
        if (role == EXECUTOR_ROLE) return true;
        return (role == PROPOSER_ROLE || role == CANCELLER_ROLE) && account == GOVERNOR;
    }

    /// @inheritdoc TimelockController
    function getMinDelay() public view override returns (uint256) {
        return PARAMS.get(Param.TimelockDelay);
    }

    /// @notice Not possible: reverts.
    function updateDelay(uint256) public pure override {
        revert DelayIsAParameter();
    }
}
