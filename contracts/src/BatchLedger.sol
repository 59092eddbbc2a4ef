// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {IBatches} from "./interfaces/IBatches.sol";
import {IMarket} from "./interfaces/IMarket.sol";
import {IVault} from "./interfaces/IVault.sol";
import {Batch, Commitment, Line, Statement} from "./libraries/BatchTypes.sol";
import {BatchHash} from "./libraries/BatchHash.sol";
import {DealCore, Signature} from "./libraries/DealTypes.sol";
import {DealHash} from "./libraries/DealHash.sol";
import {Rows} from "./libraries/Rows.sol";
import {Sessions} from "./Sessions.sol";
import {SignedBy} from "./libraries/SignedBy.sol";

/// @title Batches: commit, settle, expire, claim
/// @dev A batch is two words of its solver, reused once all its leaves are resolved. Its money stands
/// in the solver's `locked`, so that bound, bond and fee are one account's word.
abstract contract BatchLedger is IBatches, Sessions, SignedBy {
    /// @notice A solver's locked money is at most this many times its bond.
    uint256 public constant LEVERAGE = 20;
    /// @notice Lane of batched deals: they have a word of their own, and `open` refuses it.
    uint32 public constant BATCHED = type(uint32).max;

    bytes32 private constant _DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");

    IVault public immutable VAULT;
    IMarket public immutable MARKET;
    /// @notice Seconds from commit to expiry at most.
    uint64 public immutable MAX_LIFE;
    uint64 internal immutable _UNBONDING;

    struct Slot {
        bytes32 id;
        uint256 resolved;
    }

    /// @dev What a commit works on, by owner.
    struct Locks {
        uint256[] wanted; // nLILY
        uint256[] marks; // nullifier bits
        uint256[] sessions; // words as of now
        uint256 voided; // by leaf
    }

    /// @dev What a settlement works on, by owner.
    struct Payment {
        uint256[] applied; // leaves that its statement names, less the resolved ones
        uint256[] credits; // nLILY as provider
        uint256[] reserves; // nLILY as creator
        uint256 paid; // leaves
        uint256 fees; // nLILY to the solver
    }

    mapping(address solver => mapping(uint32 slot => Slot)) internal _slots;

    constructor(IVault vault, IMarket market) {
        VAULT = vault;
        MARKET = market;
        _UNBONDING = vault.UNBONDING();
        MAX_LIFE = _UNBONDING / 2;
    }

    /// @inheritdoc IBatches
    function commit(Commitment calldata c) external returns (bytes32 id, uint256 voided)
    {
        if (c.rows.length == 0 || c.rows.length > 256) revert BadLeaves(c.rows.length);
        if (c.owners.length > 256) revert BadOwner(256);
        if (c.expiry <= block.timestamp || c.expiry > block.timestamp + MAX_LIFE) revert BadExpiry(c.expiry);
        Slot storage s = _slots[msg.sender][c.slot];
        bytes32 previous = s.id;
        if (previous != 0 && s.resolved != type(uint256).max) revert SlotBusy(c.slot);
        voided = _lock(c);
        id = BatchHash.committed(c, previous, voided);
        s.id = id;
        unchecked {
            s.resolved = voided | (c.rows.length == 256 ? 0 : type(uint256).max << c.rows.length);
        }
        emit BatchCommitted(id, msg.sender, c.slot, previous, c.root, c.expiry, voided);
    }

    /// @inheritdoc IBatches
    function settle(Batch calldata b, Statement[] calldata statements, Line[] calldata lines) external {
        bytes32 id = _enter(b);
        Slot storage slot = _slots[b.solver][b.slot];
        Payment memory payment;
        _signed(payment, b.owners, id, slot.resolved, statements, lines);
        _divide(payment, b.owners.length, b.rows);
        if (payment.paid == 0) return;
        slot.resolved |= payment.paid;
        emit BatchSettled(id, payment.paid, uint64(payment.fees));
        VAULT.payBatch(b.solver, uint64(payment.fees), _payees(payment, b.owners, statements, lines));
    }

    /// @inheritdoc IBatches
    function expire(Batch calldata b, uint256 leaves) external {
        bytes32 id = _enter(b);
        if (block.timestamp <= b.expiry) revert TooEarly(b.expiry);
        leaves &= ~_slots[b.solver][b.slot].resolved;
        emit BatchExpired(id, leaves);
        _giveBack(b, leaves);
    }

    /// @inheritdoc IBatches
    function claim(
        Batch calldata b,
        uint256 leaf,
        DealCore calldata core,
        bytes32 restHash,
        bytes32[] calldata proof,
        Signature calldata creatorSig,
        Signature calldata providerSig
    ) external {
        bytes32 id = _enter(b);
        if (block.timestamp > b.expiry) revert TooLate(b.expiry);
        _resolve(b, leaf);
        _requireConsents(core, _requireLeaf(b, leaf, core, restHash, proof), creatorSig, providerSig);
        emit LeafClaimed(id, leaf, MARKET.dealId(core.creator, core.jobNumber, core.attempt));
        VAULT.moveLock(b.solver, core.provider, core.price + core.fee + core.reserve + core.collateral);
        MARKET.openClaimed(core, restHash);
    }

    /// @inheritdoc IBatches
    function slotOf(address solver, uint32 slot) external view returns (bytes32 id, uint256 resolved) {
        Slot storage s = _slots[solver][slot];
        return (s.id, s.resolved);
    }

    /// @inheritdoc IBatches
    function batchId(Batch calldata b) external view returns (bytes32) {
        return BatchHash.id(b);
    }

    // ---- for the faults ----

    /// @dev Id of a batch that stands in its slot.
    function _enter(Batch calldata b) internal view returns (bytes32 id) {
        id = BatchHash.id(b);
        if (_slots[b.solver][b.slot].id != id) revert UnknownBatch(id);
    }

    /// @dev Sets the leaf's bit; reverts if it is set or there is no such leaf.
    function _resolve(Batch calldata b, uint256 leaf) private {
        Slot storage s = _slots[b.solver][b.slot];
        if (leaf >= b.rows.length || s.resolved >> leaf & 1 == 1) revert LeafResolved(leaf);
        s.resolved |= 1 << leaf;
    }

    /// @dev Returns creator's and provider's money of unresolved `leaves` to them.
    function _giveBack(Batch calldata b, uint256 leaves) internal {
        uint256[] memory credits = new uint256[](b.owners.length);
        unchecked {
            for (uint256 i; i < b.rows.length; ++i) {
                if (leaves >> i & 1 == 0) continue;
                uint256 row = b.rows[i];
                credits[Rows.creator(row)] += Rows.fromCreator(row);
                credits[Rows.provider(row)] += Rows.collateral(row);
            }
        }
        _slots[b.solver][b.slot].resolved |= leaves;
        VAULT.payBatch(b.solver, 0, _packed(b.owners, credits));
    }

    /// @dev The digest of terms that stand at this leaf, equal its row, and were committed in time.
    function _requireLeaf(
        Batch calldata b,
        uint256 leaf,
        DealCore calldata core,
        bytes32 restHash,
        bytes32[] calldata proof
    ) internal view returns (bytes32 terms) {
        if (leaf >= b.rows.length) revert BadLeaf(leaf);
        uint256 row = b.rows[leaf];
        uint256 creator = b.owners[Rows.creator(row)];
        terms = _digest(DealHash.terms(core, restHash));
        if (
            core.creator != Rows.account(creator) || core.provider != Rows.account(b.owners[Rows.provider(row)])
                || core.feeTo != b.solver || core.lane != BATCHED || core.price != Rows.price(row)
                || core.fee != Rows.fee(row) || core.reserve != Rows.reserve(row)
                || core.collateral != Rows.collateral(row) || core.attempt > 7 || core.jobNumber / 32 != creator >> 168
                || Rows.mark(row) != 1 << (core.jobNumber % 32 * 8 + core.attempt) || b.committedAt > core.openBy
                || !MerkleProof.verifyCalldata(proof, b.root, BatchHash.leaf(leaf, terms))
        ) revert BadLeaf(leaf);
    }

    /// @dev Reverts unless both parties signed the terms.
    function _requireConsents(
        DealCore calldata core,
        bytes32 terms,
        Signature calldata creatorSig,
        Signature calldata providerSig
    ) internal view {
        _requireSignedBy(core.creator, terms, creatorSig);
        _requireSignedBy(core.provider, terms, providerSig);
    }

    function _digest(bytes32 structHash) internal view override returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(_domain(), structHash);
    }

    function _authorised(address account, address signer) internal view override returns (bool) {
        return speaksFor(account, signer);
    }

    function _tail() internal view override returns (uint256) {
        return _UNBONDING;
    }

    // ---- commit ----

    /// @dev Locks what can be covered, marks its nullifiers, charges its sessions; returns the rest.
    function _lock(Commitment calldata c) private returns (uint256) {
        Locks memory locks = _wanted(c.owners.length, c.rows);
        _judge(locks, c);
        uint256[] memory taken = MARKET.mark(c.owners, locks.marks);
        for (uint256 k; k < taken.length; ++k) {
            if (taken[k] != 0) _voidRows(locks, c.rows, k, taken[k]);
        }
        for (uint256 k; k < c.owners.length; ++k) {
            uint256 wanted = locks.wanted[k];
            uint256 owner = c.owners[k];
            if (wanted != 0) _charge(Rows.account(owner), uint8(owner >> 160), locks.sessions[k], wanted);
        }
        VAULT.lockBatch(msg.sender, LEVERAGE, _packed(c.owners, locks.wanted));
        return locks.voided;
    }

    /// @dev Sums and nullifier bits per owner; checks the rows.
    function _wanted(uint256 owners, uint256[] calldata rows) private pure returns (Locks memory locks) {
        uint256[] memory wanted = new uint256[](owners);
        uint256[] memory marks = new uint256[](owners);
        unchecked {
            for (uint256 i; i < rows.length; ++i) {
                uint256 row = rows[i];
                uint256 creator = Rows.creator(row);
                uint256 provider = Rows.provider(row);
                if (creator >= owners || provider >= owners || creator == provider || row >> 248 != 0) revert BadRow(i);
                uint256 bit = Rows.mark(row);
                uint256 collateral = Rows.collateral(row);
                if (marks[creator] & bit != 0 || collateral * 2 < Rows.price(row) * 5) revert BadRow(i);
                marks[creator] |= bit;
                wanted[creator] += Rows.fromCreator(row);
                wanted[provider] += collateral;
            }
        }
        locks.wanted = wanted;
        locks.marks = marks;
        locks.sessions = new uint256[](owners);
    }

    /// @dev Voids the leaves of owners whose session or free money does not cover them.
    function _judge(Locks memory locks, Commitment calldata c) private view {
        uint256[] memory free = VAULT.freeOf(c.owners);
        address last;
        for (uint256 k; k < free.length; ++k) {
            uint256 owner = c.owners[k];
            address account = Rows.account(owner);
            if (account <= last || owner >> 232 != 0) revert BadOwner(k);
            last = account;
            uint256 wanted = locks.wanted[k];
            if (wanted == 0 && locks.marks[k] == 0) continue;
            uint256 word = free[k] < wanted ? 0 : _allowed(account, uint8(owner >> 160), msg.sender, wanted);
            locks.sessions[k] = word;
            if (word == 0) _voidRows(locks, c.rows, k, type(uint256).max);
        }
    }

    /// @dev Voids every leaf of owner `k` as provider, and as creator those with a bit of `marks`.
    function _voidRows(Locks memory locks, uint256[] calldata rows, uint256 k, uint256 marks) private pure {
        bool all = marks == type(uint256).max;
        for (uint256 i; i < rows.length; ++i) {
            uint256 row = rows[i];
            bool hit = Rows.creator(row) == k ? Rows.mark(row) & marks != 0 : all && Rows.provider(row) == k;
            if (!hit || locks.voided >> i & 1 == 1) continue;
            locks.voided |= 1 << i;
            locks.wanted[Rows.creator(row)] -= Rows.fromCreator(row);
            locks.wanted[Rows.provider(row)] -= Rows.collateral(row);
            locks.marks[Rows.creator(row)] &= ~Rows.mark(row);
        }
    }

    // ---- settle ----

    /// @dev Fills `applied`; checks the statements' signatures and order.
    function _signed(
        Payment memory payment,
        uint256[] calldata owners,
        bytes32 id,
        uint256 resolved,
        Statement[] calldata statements,
        Line[] calldata lines
    ) private view {
        uint256[] memory applied = new uint256[](owners.length);
        payment.applied = applied;
        bytes32 domain = _domain();
        uint256 next; // owner below which none may come any more
        uint256 at;
        for (uint256 i; i < statements.length; ++i) {
            Statement calldata s = statements[i];
            uint256 k = s.owner;
            if (k < next || k >= owners.length) revert BadStatement(i);
            next = k + 1;
            uint256 from = at;
            while (at < lines.length && lines[at].statement == i) ++at;
            address creator = Rows.account(owners[k]);
            bytes32 hash = BatchHash.statement(id, creator, s.leaves, lines, from, at);
            _requireSignedBy(creator, MessageHashUtils.toTypedDataHash(domain, hash), s.signature);
            applied[k] = s.leaves & ~resolved;
        }
        if (at != lines.length) revert BadLine(at);
    }

    /// @dev Divides the rows of the leaves that are paid.
    function _divide(Payment memory payment, uint256 owners, uint256[] calldata rows) private pure {
        uint256[] memory applied = payment.applied;
        uint256[] memory credits = new uint256[](owners);
        uint256[] memory reserves = new uint256[](owners);
        uint256 paid;
        uint256 fees;
        // Unchecked: every row is money in the solver's `locked`, of which the Vault takes the sum.
        unchecked {
            for (uint256 i; i < rows.length; ++i) {
                uint256 row = rows[i];
                uint256 creator = Rows.creator(row);
                if (applied[creator] >> i & 1 == 0) continue;
                paid |= 1 << i;
                credits[Rows.provider(row)] += Rows.price(row) + Rows.collateral(row);
                fees += Rows.fee(row);
                reserves[creator] += Rows.reserve(row);
            }
        }
        payment.credits = credits;
        payment.reserves = reserves;
        payment.paid = paid;
        payment.fees = fees;
    }

    /// @dev All payees: lines as far as their creator's reserve goes, then the owners.
    function _payees(
        Payment memory payment,
        uint256[] calldata owners,
        Statement[] calldata statements,
        Line[] calldata lines
    ) private pure returns (uint256[] memory to) {
        uint256[] memory reserves = payment.reserves;
        uint256[] memory credits = payment.credits;
        uint256 count = owners.length;
        to = new uint256[](count + lines.length);
        for (uint256 i; i < lines.length; ++i) {
            uint256 k = statements[lines[i].statement].owner;
            uint256 amount = lines[i].amount;
            if (amount > reserves[k]) continue;
            reserves[k] -= amount;
            to[count + i] = amount << 160 | uint160(lines[i].payee);
        }
        for (uint256 k; k < count; ++k) {
            to[k] = (credits[k] + reserves[k]) << 160 | uint160(owners[k]);
        }
    }

    /// @dev Amounts above accounts, as the Vault takes them.
    function _packed(uint256[] calldata owners, uint256[] memory amounts)
        private
        pure
        returns (uint256[] memory packed)
    {
        packed = new uint256[](owners.length);
        for (uint256 k; k < packed.length; ++k) {
            packed[k] = amounts[k] << 160 | uint160(owners[k]);
        }
    }

    /// @dev The Market's domain separator.
    function _domain() private view returns (bytes32) {
        return keccak256(
            abi.encode(_DOMAIN_TYPEHASH, keccak256("lilynode"), keccak256("1"), block.chainid, address(MARKET))
        );
    }
}
