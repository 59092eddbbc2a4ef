// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {ISessions} from "./interfaces/ISessions.sol";
import {BatchHash} from "./libraries/BatchHash.sol";
import {Session} from "./libraries/BatchTypes.sol";

/// @title Sessions: a cap per rolling window, a set of solvers, an end
/// @dev All that a lock reads and writes of a session is one word, lowest bits first: cap, locked in
/// this window, locked in the one before (56 bits each), start of this window, end (32 each), length
/// of a window (23), and whether only admitted solvers may lock (1).
abstract contract Sessions is ISessions {
    /// @notice Seconds from `revoke` to a session's end; longer than any network's opening window.
    uint64 public constant NOTICE = 10 minutes;

    uint256 private constant _AMOUNT = (1 << 56) - 1;
    uint256 private constant _TIME = type(uint32).max;
    uint256 private constant _LOCKED = 56;
    uint256 private constant _BEFORE = 112;
    uint256 private constant _START = 168;
    uint256 private constant _EXPIRY = 200;
    uint256 private constant _LENGTH = 232;
    uint256 private constant _RESTRICTED = 1 << 255;

    mapping(address account => mapping(uint8 number => uint256)) private _sessions;
    mapping(address account => mapping(uint8 number => uint64)) private _nonces;
    mapping(address account => mapping(uint64 nonce => bytes32)) private _solversRoots;
    mapping(address account => mapping(uint64 nonce => mapping(address solver => bool))) private _admitted;
    mapping(address account => mapping(uint64 nonce => address)) private _operators;
    mapping(address account => mapping(address operator => uint64)) private _operatorUntil;

    /// @inheritdoc ISessions
    function authorise(Session calldata s, bytes calldata signature) external {
        if (
            s.account == address(0) || s.cap > _AMOUNT || s.windowSeconds == 0 || s.windowSeconds >= 1 << 23
                || s.notBefore > block.timestamp || s.expiry <= block.timestamp || s.expiry > _TIME
        ) revert BadSession();
        uint8 number = uint8(s.nonce);
        if (s.nonce <= _nonces[s.account][number]) revert BadSessionNonce(s.nonce);
        _requireAccount(s.account, BatchHash.session(s), signature);
        _nonces[s.account][number] = s.nonce;
        _solversRoots[s.account][s.nonce] = s.solversRoot;
        _operators[s.account][s.nonce] = s.operator;
        _sessions[s.account][number] = s.cap | uint256(s.expiry) << _EXPIRY | uint256(s.windowSeconds) << _LENGTH
            | (s.solversRoot == 0 ? 0 : _RESTRICTED);
        if (_operatorUntil[s.account][s.operator] < s.expiry) _operatorUntil[s.account][s.operator] = s.expiry;
        emit SessionAuthorised(s.account, s.operator, s.nonce, s.cap, s.windowSeconds, s.expiry);
    }

    /// @inheritdoc ISessions
    function revoke(address account, uint64 nonce, bytes calldata signature) external {
        uint8 number = uint8(nonce);
        if (nonce == 0 || nonce != _nonces[account][number]) revert BadSessionNonce(nonce);
        _requireAccount(account, keccak256(abi.encode(BatchHash.REVOKE_TYPEHASH, account, nonce)), signature);
        uint256 word = _sessions[account][number];
        uint64 end = uint64(block.timestamp) + NOTICE;
        uint64 expiry = uint64(word >> _EXPIRY & _TIME);
        if (end >= expiry) revert BadSession();
        _sessions[account][number] = word & ~(_TIME << _EXPIRY) | uint256(end) << _EXPIRY;
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
    function allowance(address account, uint8 number) external view returns (uint64 left, uint64 expiry) {
        uint256 word = _rolled(_sessions[account][number]);
        expiry = uint64(word >> _EXPIRY & _TIME);
        if (block.timestamp < expiry) left = uint64((word & _AMOUNT) - _spent(word));
    }

    /// @dev The session's word as of now, or zero if it does not let `solver` lock `amount`.
    function _allowed(address account, uint8 number, address solver, uint256 amount) internal view returns (uint256) {
        uint256 word = _sessions[account][number];
        if (block.timestamp >= (word >> _EXPIRY & _TIME)) return 0;
        if (word & _RESTRICTED != 0 && !_admitted[account][_nonces[account][number]][solver]) return 0;
        word = _rolled(word);
        return _spent(word) + amount > (word & _AMOUNT) ? 0 : word;
    }

    /// @dev Counts `amount` against a session whose word `_allowed` gave for at least as much.
    function _charge(address account, uint8 number, uint256 word, uint256 amount) internal {
        unchecked {
            _sessions[account][number] = word + (amount << _LOCKED);
        }
    }

    /// @dev Seconds that operators' signatures outlive their sessions.
    function _tail() internal view virtual returns (uint256);

    /// @dev EIP-712 digest under the deployment's domain.
    function _digest(bytes32 structHash) internal view virtual returns (bytes32);

    /// @dev Reverts unless `account` calls (with an empty signature) or signed.
    function _requireAccount(address account, bytes32 structHash, bytes calldata signature) private view {
        if (signature.length == 0 && msg.sender == account) return;
        if (!SignatureChecker.isValidSignatureNowCalldata(account, _digest(structHash), signature)) {
            revert NotTheAccount(account);
        }
    }

    /// @dev The word with its windows moved on to now.
    function _rolled(uint256 word) private view returns (uint256) {
        uint256 length = word >> _LENGTH & ((1 << 23) - 1);
        uint256 start = word >> _START & _TIME;
        unchecked {
            uint256 passed = block.timestamp - start;
            if (passed < length) return word;
            uint256 fixedPart = word & ~(_AMOUNT << _LOCKED | _AMOUNT << _BEFORE | _TIME << _START);
            if (passed >= 2 * length) return fixedPart | (block.timestamp & _TIME) << _START;
            return fixedPart | (word >> _LOCKED & _AMOUNT) << _BEFORE | (start + length) << _START;
        }
    }

    /// @dev Locked in this window and the one before.
    function _spent(uint256 word) private pure returns (uint256) {
        unchecked {
            return (word >> _LOCKED & _AMOUNT) + (word >> _BEFORE & _AMOUNT);
        }
    }
}
