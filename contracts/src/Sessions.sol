// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {ISessions} from "./interfaces/ISessions.sol";
import {BatchHash} from "./libraries/BatchHash.sol";
import {Session} from "./libraries/BatchTypes.sol";

/// @title Sessions: funds of their own, a cap per window, a set of solvers, an end
/// @dev All that a lock reads and writes of an owner is one word, lowest bits first: funds, cap, locked
/// in this window (56 bits each), start of this window, end (32 each), length of a window (23), and
/// whether only admitted solvers may lock (1).
abstract contract Sessions is ISessions {
    /// @notice Seconds from `revoke` to a session's end; longer than any network's opening window.
    uint64 public constant NOTICE = 10 minutes;

    uint256 private constant _AMOUNT = (1 << 56) - 1;
    uint256 private constant _TIME = type(uint32).max;
    uint256 private constant _CAP = 56;
    uint256 private constant _LOCKED = 112;
    uint256 private constant _START = 168;
    uint256 private constant _EXPIRY = 200;
    uint256 private constant _LENGTH = 232;
    uint256 private constant _RESTRICTED = 1 << 255;

    /// @dev By account in the lowest 160 bits and number above, as owners of batches carry them.
    mapping(uint256 owner => uint256) private _sessions;
    mapping(address account => mapping(uint8 number => uint64)) private _nonces;
    mapping(address account => mapping(uint64 nonce => bytes32)) private _solversRoots;
    mapping(address account => mapping(uint64 nonce => mapping(address solver => bool))) private _admitted;
    mapping(address account => mapping(uint64 nonce => address)) private _operators;
    mapping(address account => mapping(address operator => uint64)) private _operatorUntil;

    /// @inheritdoc ISessions
    function authorise(Session calldata s, bytes calldata signature) external {
        if (
            s.account == address(0) || uint8(s.nonce) == 0 || s.cap > _AMOUNT || s.windowSeconds == 0 || s.windowSeconds >= 1 << 23
                || s.notBefore > block.timestamp || s.expiry <= block.timestamp || s.expiry > _TIME
        ) revert BadSession();
        uint8 number = uint8(s.nonce);
        if (s.nonce <= _nonces[s.account][number]) revert BadSessionNonce(s.nonce);
        _requireAccount(s.account, BatchHash.session(s), signature);
        _nonces[s.account][number] = s.nonce;
        _solversRoots[s.account][s.nonce] = s.solversRoot;
        _operators[s.account][s.nonce] = s.operator;
        uint256 funds = _sessions[_key(s.account, number)] & _AMOUNT;
        _sessions[_key(s.account, number)] = funds | uint256(s.cap) << _CAP | uint256(s.expiry) << _EXPIRY | uint256(s.windowSeconds) << _LENGTH
            | (s.solversRoot == 0 ? 0 : _RESTRICTED);
        if (_operatorUntil[s.account][s.operator] < s.expiry) _operatorUntil[s.account][s.operator] = s.expiry;
        emit SessionAuthorised(s.account, s.operator, s.nonce, s.cap, s.windowSeconds, s.expiry);
    }

    /// @inheritdoc ISessions
    function revoke(address account, uint64 nonce, bytes calldata signature) external {
        uint8 number = uint8(nonce);
        if (nonce == 0 || nonce != _nonces[account][number]) revert BadSessionNonce(nonce);
        _requireAccount(account, keccak256(abi.encode(BatchHash.REVOKE_TYPEHASH, account, nonce)), signature);
        uint256 word = _sessions[_key(account, number)];
        uint64 end = uint64(block.timestamp) + NOTICE;
        uint64 expiry = uint64(word >> _EXPIRY & _TIME);
        if (end >= expiry) revert BadSession();
        _sessions[_key(account, number)] = word & ~(_TIME << _EXPIRY) | uint256(end) << _EXPIRY;
        _operatorUntil[account][_operators[account][nonce]] = end;
        emit SessionRevoked(account, nonce, end);
    }

    /// @inheritdoc ISessions
    function admit(address account, uint64 nonce, address solver, bytes32 solversRoot, bytes32[] calldata proof)
        external
    {
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(solver))));
        if (
            solversRoot == 0 || solversRoot != _solversRoots[account][nonce]
                || !MerkleProof.verifyCalldata(proof, solversRoot, leaf)
        ) revert NotInSet(solver);
        _admitted[account][nonce][solver] = true;
        emit SolverAdmitted(account, nonce, solver);
    }

    /// @inheritdoc ISessions
    function speaksFor(address account, address signer) public view returns (bool) {
        uint256 until = _operatorUntil[account][signer];
        return until != 0 && signer != address(0) && block.timestamp <= until + _tail();
    }

    /// @inheritdoc ISessions
    function sessionOf(address account, uint8 number)
        external
        view
        returns (uint64 funds, uint64 allowed, uint64 expiry)
    {
        uint256 word = _sessions[_key(account, number)];
        funds = uint64(word & _AMOUNT);
        expiry = uint64(word >> _EXPIRY & _TIME);
        word = _rolled(word);
        uint256 half = (word >> _CAP & _AMOUNT) / 2;
        uint256 locked = word >> _LOCKED & _AMOUNT;
        if (block.timestamp < expiry && locked < half) allowed = uint64(half - locked);
    }

    /// @dev Takes `amount` out of the funds of `owner` and counts it; false, and nothing, if its session
    /// does not let `solver` lock so much.
    function _spend(uint256 owner, address solver, uint256 amount) internal returns (bool) {
        uint256 word = _sessions[owner];
        if (block.timestamp >= (word >> _EXPIRY & _TIME) || (word & _AMOUNT) < amount) return false;
        if (word & _RESTRICTED != 0 && !_isAdmitted(owner, solver)) return false;
        word = _rolled(word);
        // Unchecked: `amount` is at most the funds.
        unchecked {
            if (((word >> _LOCKED & _AMOUNT) + amount) * 2 > (word >> _CAP & _AMOUNT)) return false;
            _sessions[owner] = word - amount + (amount << _LOCKED);
        }
        return true;
    }

    /// @dev Takes back what `_spend` did in this transaction.
    function _unspend(uint256 owner, uint256 amount) internal {
        _sessions[owner] = _sessions[owner] + amount - (amount << _LOCKED);
    }

    /// @dev Adds to the funds of `owner`; false, and nothing, if they would leave 56 bits.
    function _fund(uint256 owner, uint256 amount) internal returns (bool) {
        uint256 word = _sessions[owner];
        unchecked {
            if ((word & _AMOUNT) + amount > _AMOUNT) return false;
            _sessions[owner] = word + amount;
        }
        return true;
    }

    /// @dev Takes all funds out of an ended session.
    function _sweep(address account, uint8 number) internal returns (uint64 funds) {
        uint256 word = _sessions[_key(account, number)];
        if (block.timestamp < (word >> _EXPIRY & _TIME)) revert SessionRuns(word >> _EXPIRY & _TIME);
        funds = uint64(word & _AMOUNT);
        _sessions[_key(account, number)] = word - funds;
    }

    /// @dev Seconds that operators' signatures outlive their sessions.
    function _tail() internal view virtual returns (uint256);

    /// @dev EIP-712 digest under the deployment's domain.
    function _digest(bytes32 structHash) internal view virtual returns (bytes32);

    /// @dev Reverts unless `account` calls (with an empty signature) or signed.
    function _requireAccount(address account, bytes32 structHash, bytes calldata signature) internal view {
        if (signature.length == 0 && msg.sender == account) return;
        if (!SignatureChecker.isValidSignatureNowCalldata(account, _digest(structHash), signature)) {
            revert NotTheAccount(account);
        }
    }

    function _isAdmitted(uint256 owner, address solver) private view returns (bool) {
        address account = address(uint160(owner));
        return _admitted[account][_nonces[account][uint8(owner >> 160)]][solver];
    }

    function _key(address account, uint8 number) private pure returns (uint256) {
        return uint256(number) << 160 | uint160(account);
    }

    /// @dev The word in the window of now.
    function _rolled(uint256 word) private view returns (uint256) {
        uint256 length = word >> _LENGTH & ((1 << 23) - 1);
        unchecked {
            if (block.timestamp - (word >> _START & _TIME) < length) return word;
        }
        return word & ~(_AMOUNT << _LOCKED | _TIME << _START) | (block.timestamp & _TIME) << _START;
    }
}
