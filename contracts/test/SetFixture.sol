// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "./Fixture.sol";
import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import {IDirectory} from "../src/interfaces/IDirectory.sol";
import {IModules} from "../src/interfaces/IModules.sol";
import {IParams, Param} from "../src/interfaces/IParams.sol";
import {IRewards} from "../src/interfaces/IRewards.sol";

/// @dev What the tests call of LilyGovernor beside IGovernor.
interface ILilyGovernor is IGovernor {
    error TooLate(uint256 deadline);
    error TimelockIsFixed();

    function proposeBySig(
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        string memory description,
        address proposer,
        uint64 deadline,
        bytes memory signature
    ) external returns (uint256);
    function cancelBySig(
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash,
        bytes memory signature
    ) external returns (uint256);
    function timelock() external view returns (address);
}

/// @dev What the tests call of LilyTimelock.
interface ILilyTimelock {
    error DelayIsAParameter();

    function hasRole(bytes32 role, address account) external view returns (bool);
    function grantRole(bytes32 role, address account) external;
    function getMinDelay() external view returns (uint256);
    function updateDelay(uint256 delay) external;
    function schedule(address target, uint256 value, bytes calldata data, bytes32 predecessor, bytes32 salt, uint256 delay)
        external;
}

/// @dev The deployment with the contracts that no deal needs.
abstract contract SetFixture is Fixture {
    IParams internal params;
    ILilyGovernor internal governor;
    ILilyTimelock internal timelock;
    IRewards internal rewards;
    IModules internal modules;
    IDirectory internal directory;

    function setUp() public virtual override {
        super.setUp();
        uint64 nonce = vm.getNonce(address(this));
        address governorAt = vm.computeCreateAddress(address(this), nonce + 1);
        address timelockAt = vm.computeCreateAddress(address(this), nonce + 2);
        params = IParams(_create("Params", abi.encode(timelockAt, _initial())));
        governor = ILilyGovernor(_create("LilyGovernor", abi.encode(token, timelockAt, params)));
        timelock = ILilyTimelock(_create("LilyTimelock", abi.encode(governorAt, params)));
        rewards = IRewards(_create("Rewards", abi.encode(token, vault, market, params, timelock)));
        modules = IModules(_create("Modules", abi.encode(market)));
        directory = IDirectory(_create("Directory", abi.encode(market)));
    }

    /// @dev The defaults of protocol/governance.md.
    function _initial() internal pure returns (uint64[18] memory) {
        return [
            1 days, 3 days, 100_000 * LILY, 2 days, 7 days, 100_000 * LILY, 3 days, 42 days, 10_000 * LILY,
            1000, 1000, 1000, 4, 500, 6000, 1000, 1000, 1500
        ];
    }

    /// @dev As an account signs for `_requireAccount`: 65 bytes.
    function _signBytes(uint256 key, bytes memory encoded) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, market.digest(keccak256(encoded)));
        return abi.encodePacked(r, s, v);
    }
}
