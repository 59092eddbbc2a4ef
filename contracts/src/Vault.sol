// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Account, IVault, Order} from "./interfaces/IVault.sol";
import {Domain} from "./libraries/Domain.sol";
import {Sessions} from "./Sessions.sol";
import {Words} from "./libraries/Words.sol";

/// @title The only holder of tokens: free, locked, bonded and unbonding money per account
/// @dev Every change is debit before credit on one storage slot at a time, so accounts may coincide.
contract Vault is IVault, Sessions {
    using SafeERC20 for IERC20;
    using Words for uint256[];

    /// @dev Bit positions in an account's word; free money stands at 0.
    uint256 private constant _LOCKED = 64;
    uint256 private constant _BOND = 128;
    uint256 private constant _UNBONDING = 192;

    bytes32 private constant _ORDER_TYPEHASH = keccak256(
        "Order(uint8 kind,address account,address to,uint8 number,uint64 amount,uint64 nonce)"
    );

    IERC20 public immutable TOKEN;
    /// @notice The only contract that moves escrow. Fixed: the hot path pays no module look-up.
    address public immutable MARKET;
    /// @notice The only contract that slashes bonds.
    address public immutable COURT;
    /// @notice The only contract that moves batches' escrow.
    address public immutable BATCHES;
    /// @notice The only contract that moves what payers reserved for vouchers; it slashes nobody.
    address public immutable VOUCHERS;
    /// @notice Seconds from `startUnbond` to `finishUnbond`; no dispute lasts longer (see Court).
    uint64 public immutable UNBONDING;

    /// @dev Accounts as raw words, lowest bits first: free, locked, bond, unbonding (64 bits each).
    /// One load and one store per change; `account` unpacks. No field can run into the next: all of
    /// them together never exceed the token's supply, and that fits uint64 (constructor).
    mapping(address => uint256) private _accounts;
    /// @inheritdoc IVault
    mapping(address => uint64) public unbondAt;
    /// @inheritdoc IVault
    mapping(address => uint64) public orderNonce;
    /// @inheritdoc IVault
    uint64 public pool;

    modifier onlyMarket() {
        if (msg.sender != MARKET) revert NotMarket();
        _;
    }

    modifier onlyBatches() {
        if (msg.sender != BATCHES) revert NotBatches();
        _;
    }

    modifier onlyDealing() {
        if (msg.sender != BATCHES && msg.sender != MARKET && msg.sender != COURT) revert NotDealing();
        _;
    }

    modifier onlyEscrowing() {
        if (msg.sender != BATCHES && msg.sender != MARKET && msg.sender != COURT && msg.sender != VOUCHERS) {
            revert NotEscrowing();
        }
        _;
    }

    /// @param market,court,batches,vouchers addresses the deployer's next CREATEs will have; the constructors
    /// of Court, Batches and Vouchers refuse to be deployed into a set that does not fit together.
    constructor(
        IERC20 token,
        address market,
        address court,
        address batches,
        address vouchers,
        uint64 unbondingSeconds
    ) {
        if (market == address(0) || court == address(0) || batches == address(0) || vouchers == address(0)) {
            revert ZeroAddress();
        }
        if (token.totalSupply() > type(uint64).max) revert SupplyTooLarge();
        TOKEN = token;
        MARKET = market;
        COURT = court;
        BATCHES = batches;
        VOUCHERS = vouchers;
        UNBONDING = unbondingSeconds;
    }

    /// @inheritdoc IVault
    function deposit(address to, uint64 amount) external {
        _deposit(msg.sender, to, amount);
    }

    /// @inheritdoc IVault
    function depositFor(address owner, uint64 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external {
        // No try/catch: a standing allowance must not let strangers move an owner's tokens in.
        IERC20Permit(address(TOKEN)).permit(owner, address(this), amount, deadline, v, r, s);
        _deposit(owner, owner, amount);
    }

    /// @inheritdoc IVault
    function withdraw(address to, uint64 amount) external {
        _withdraw(msg.sender, to, amount);
    }

    /// @inheritdoc IVault
    function addBond(uint64 amount) external {
        _addBond(msg.sender, amount);
    }

    /// @inheritdoc IVault
    function startUnbond(uint64 amount) external {
        _startUnbond(msg.sender, amount);
    }

    /// @inheritdoc IVault
    function finishUnbond() external {
        _finishUnbond(msg.sender);
    }

    /// @inheritdoc IVault
    function order(Order calldata o, bytes calldata signature) external {
        uint64 expected = orderNonce[o.account]++;
        if (o.nonce != expected) revert BadOrderNonce(o.nonce, expected);
        _requireAccount(o.account, keccak256(abi.encode(_ORDER_TYPEHASH, o)), signature);
        if (o.kind == 1) {
            _withdraw(o.account, o.to, o.amount);
        } else if (o.kind == 2) {
            _addBond(o.account, o.amount);
        } else if (o.kind == 3) {
            _startUnbond(o.account, o.amount);
        } else if (o.kind == 4) {
            _finishUnbond(o.account);
        } else if (o.kind == 5) {
            uint64 funds = _sweep(o.account, o.number);
            _accounts[o.account] += funds;
            emit SessionSwept(o.account, o.number, funds);
        } else if (o.kind == 6) {
            if (o.number == 0) revert BadSession();
            _debit(o.account, o.amount);
            if (!_fund(uint256(o.number) << 160 | uint160(o.account), o.amount)) revert FundsTooLarge();
            emit SessionFunded(o.account, o.number, o.amount);
        } else {
            revert BadOrder(o.kind);
        }
    }

    /// @inheritdoc IVault
    function lock(address creator, address provider, uint64 fromCreator, uint64 fromProvider) external onlyMarket {
        _debit(creator, fromCreator);
        uint256 word = _accounts[provider];
        if (uint64(word) < fromProvider) revert InsufficientFree(provider, uint64(word), fromProvider);
        // Unchecked: both amounts were somebody's money a moment ago, so their sum fits the field.
        unchecked {
            _accounts[provider] = word - fromProvider + ((uint256(fromCreator) + fromProvider) << _LOCKED);
        }
    }

    /// @inheritdoc IVault
    function pull(address creator, address provider, uint64 wanted) external onlyMarket returns (uint64 taken) {
        uint64 free = uint64(_accounts[creator]);
        taken = wanted < free ? wanted : free;
        if (taken == 0) return 0;
        _debit(creator, taken);
        _accounts[provider] += uint256(taken) << _LOCKED;
    }

    /// @inheritdoc IVault
    function release(
        address provider,
        uint64 escrow,
        uint64 toProvider,
        address creator,
        uint64 toCreator,
        address payee,
        uint64 toPayee,
        address mediator,
        uint64 toMediator
    ) external onlyMarket {
        // Unchecked: four uint64 fit uint256, and after the two comparisons every amount is part of
        // what stood in `locked`.
        unchecked {
            if (payee == address(0)) toPayee = 0;
            uint256 paid = uint256(toProvider) + toCreator + toPayee + toMediator;
            uint256 word = _accounts[provider];
            if (paid > escrow || uint64(word >> _LOCKED) < escrow) revert BeyondEscrow();
            _accounts[provider] = word - (uint256(escrow) << _LOCKED) + toProvider;
            if (toCreator != 0) _accounts[creator] += toCreator;
            if (toPayee != 0) _accounts[payee] += toPayee;
            if (toMediator != 0) _accounts[mediator] += toMediator;
            if (paid != escrow) _pool(uint64(escrow - paid));
        }
    }

    /// @inheritdoc IVault
    function slashBond(address who) external returns (uint64 amount) {
        if (msg.sender != COURT) revert NotCourt();
        uint256 word = _accounts[who];
        amount = uint64(word >> _BOND) + uint64(word >> _UNBONDING);
        if (amount == 0) revert NothingThere();
        _accounts[who] = uint128(word);
        emit BondSlashed(who, amount);
        _pool(amount);
    }

    /// @inheritdoc IVault
    function lockBatch(address solver, uint256 leverage, uint256[] calldata from)
        external
        onlyBatches
        returns (uint256 short)
    {
        // Unchecked: each amount is at most that session's funds, so all of them together fit.
        unchecked {
            uint256 total;
            for (uint256 i; i < from.length; ++i) {
                uint256 owner = from.get(i);
                uint256 amount = owner >> 168;
                if (amount == 0) continue;
                if (_spend(uint168(owner), solver, amount)) total += amount;
                else short |= 1 << i;
            }
            uint256 word = _accounts[solver] + (total << _LOCKED);
            uint256 allowed = leverage * uint64(word >> _BOND);
            if (uint64(word >> _LOCKED) > allowed) {
                revert BondTooSmall(solver, uint64(word >> _LOCKED), allowed);
            }
            _accounts[solver] = word;
        }
    }

    /// @inheritdoc IVault
    function unlockBatch(address solver, uint256[] calldata to) external onlyBatches {
        uint256 total;
        for (uint256 i; i < to.length; ++i) {
            uint256 amount = to[i] >> 168;
            if (amount == 0) continue;
            _unspend(uint168(to[i]), amount);
            total += amount;
        }
        if (uint64(_accounts[solver] >> _LOCKED) < total) revert BeyondEscrow();
        _accounts[solver] -= total << _LOCKED;
    }

    /// @inheritdoc IVault
    function payBatch(address holder, uint64 toHolder, uint256[] calldata to) external onlyEscrowing {
        // Unchecked: a sum that leaves uint64 is more than the escrow, for there are few summands.
        unchecked {
            uint256 total = toHolder;
            uint256 toPool;
            for (uint256 i; i < to.length; ++i) {
                uint256 payee = to.get(i);
                uint256 amount = payee >> 168;
                if (amount == 0) continue;
                total += amount;
                if (uint160(payee) == 0) toPool += amount;
                else if (uint8(payee >> 160) == 0 || !_fund(uint168(payee), amount)) {
                    _accounts[address(uint160(payee))] += amount;
                }
            }
            uint256 word = _accounts[holder];
            if (uint64(word >> _LOCKED) < total) revert BeyondEscrow();
            _accounts[holder] = word - (total << _LOCKED) + toHolder;
            if (toPool != 0) _pool(uint64(toPool));
        }
    }

    /// @inheritdoc IVault
    function stake(address who, uint64 amount) external onlyEscrowing {
        _debit(who, amount);
        _accounts[who] += uint256(amount) << _LOCKED;
    }

    /// @inheritdoc IVault
    function moveLock(address from, address to, uint64 amount) external onlyBatches {
        if (uint64(_accounts[from] >> _LOCKED) < amount) revert BeyondEscrow();
        _accounts[from] -= uint256(amount) << _LOCKED;
        _accounts[to] += uint256(amount) << _LOCKED;
    }

    /// @inheritdoc IVault
    function slash(address who, uint64 wanted, address victim, uint64 share)
        external
        onlyDealing
        returns (uint64 amount)
    {
        uint256 word = _accounts[who];
        uint64 bond = uint64(word >> _BOND);
        uint64 unbonding = uint64(word >> _UNBONDING);
        uint64 fromBond = wanted < bond ? wanted : bond;
        uint64 fromUnbonding = wanted - fromBond < unbonding ? wanted - fromBond : unbonding;
        amount = fromBond + fromUnbonding;
        _accounts[who] = word - (uint256(fromBond) << _BOND) - (uint256(fromUnbonding) << _UNBONDING);
        emit BondSlashed(who, amount);
        uint64 toVictim = share < amount ? share : amount;
        _accounts[victim] += toVictim;
        if (toVictim != amount) _pool(amount - toVictim);
    }

    /// @inheritdoc IVault
    function account(address who) external view returns (Account memory) {
        uint256 word = _accounts[who];
        return Account(uint64(word), uint64(word >> _LOCKED), uint64(word >> _BOND), uint64(word >> _UNBONDING));
    }

    /// @inheritdoc IVault
    function bondOf(address who) external view returns (uint64) {
        return uint64(_accounts[who] >> _BOND);
    }

    function _withdraw(address who, address to, uint64 amount) private {
        if (to == address(0)) revert ZeroAddress();
        _debit(who, amount);
        emit Withdrawn(who, to, amount);
        TOKEN.safeTransfer(to, amount);
    }

    function _addBond(address who, uint64 amount) private {
        _debit(who, amount);
        _accounts[who] += uint256(amount) << _BOND;
        emit Bonded(who, amount);
    }

    function _startUnbond(address who, uint64 amount) private {
        if (amount == 0) revert NothingThere();
        uint256 word = _accounts[who];
        uint64 bond = uint64(word >> _BOND);
        if (bond < amount) revert InsufficientBond(who, bond, amount);
        _accounts[who] = word - (uint256(amount) << _BOND) + (uint256(amount) << _UNBONDING);
        uint64 freeAt = uint64(block.timestamp) + UNBONDING;
        unbondAt[who] = freeAt;
        emit UnbondStarted(who, amount, freeAt);
    }

    function _finishUnbond(address who) private {
        uint256 word = _accounts[who];
        uint64 amount = uint64(word >> _UNBONDING);
        if (amount == 0) revert NothingThere();
        if (block.timestamp < unbondAt[who]) revert StillBonded(unbondAt[who]);
        _accounts[who] = word - (uint256(amount) << _UNBONDING) + amount;
        emit Unbonded(who, amount);
    }

    function _digest(bytes32 structHash) internal view override returns (bytes32) {
        return Domain.digest(Domain.separator(MARKET), structHash);
    }

    function _tail() internal view override returns (uint256) {
        return UNBONDING;
    }

    function _deposit(address from, address to, uint64 amount) private {
        if (to == address(0)) revert ZeroAddress();
        _accounts[to] += amount;
        emit Deposited(to, from, amount);
        // Reverts unless the tokens are there, so what was just credited is part of the supply.
        TOKEN.safeTransferFrom(from, address(this), amount);
    }

    function _debit(address who, uint64 amount) private {
        uint256 word = _accounts[who];
        if (uint64(word) < amount) revert InsufficientFree(who, uint64(word), amount);
        unchecked {
            _accounts[who] = word - amount;
        }
    }

    function _pool(uint64 amount) private {
        pool += amount;
        emit Pooled(amount);
    }
}
