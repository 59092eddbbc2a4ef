// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {IBatches} from "./interfaces/IBatches.sol";
import {IMarket} from "./interfaces/IMarket.sol";
import {IVault} from "./interfaces/IVault.sol";
import {Batch, Commitment, Line, Opening, Statement} from "./libraries/BatchTypes.sol";
import {BatchHash} from "./libraries/BatchHash.sol";
import {DealCore, Signature} from "./libraries/DealTypes.sol";
import {DealHash} from "./libraries/DealHash.sol";
import {Rows} from "./libraries/Rows.sol";
import {Domain} from "./libraries/Domain.sol";
import {SignedBy} from "./libraries/SignedBy.sol";
import {Words} from "./libraries/Words.sol";

/// @title Batches: commit, settle, expire, claim
/// @dev A batch is two words of its solver, reused once all its leaves are resolved. Its money stands
/// in the solver's `locked`, so that bound, bond and fee are one account's word.
abstract contract BatchLedger is IBatches, SignedBy {
    using Words for uint256[];

    /// @notice A solver's locked money is at most this many times its bond.
    uint256 public constant LEVERAGE = 20;
    /// @notice Lane of batched deals: they have a word of their own, and `open` refuses it.
    uint32 public constant BATCHED = type(uint32).max;

    /// @dev Account and session of an owner word.
    uint256 private constant _OWNER = type(uint168).max;

    IVault public immutable VAULT;
    IMarket public immutable MARKET;
    /// @notice Seconds from commit to expiry at most.
    uint64 public immutable MAX_LIFE;
    uint64 internal immutable _UNBONDING;
    uint256 private immutable _CHAIN;
    bytes32 private immutable _DOMAIN;

    struct Slot {
        bytes32 id;
        uint256 resolved;
    }

    /// @dev What a commit works on, by owner.
    struct Locks {
        uint256[] from; // as Vault.lockBatch takes them
        uint256[] marks; // nullifier bits
        uint256 voided; // by leaf
    }

    /// @dev What a settlement works on.
    struct Payment {
        uint256[] applied; // by owner, leaves that its statement names, less the resolved ones
        uint256[] to; // as Vault.payBatch takes them
        uint256 paid; // leaves
        uint256 fees; // nLILY to the solver
    }

    mapping(address solver => mapping(uint32 slot => Slot)) internal _slots;

    constructor(IVault vault, IMarket market) {
        VAULT = vault;
        MARKET = market;
        _UNBONDING = vault.UNBONDING();
        MAX_LIFE = _UNBONDING / 2;
        _CHAIN = block.chainid;
        _DOMAIN = Domain.separator(address(market));
    }

    /// @inheritdoc IBatches
    function commit(Commitment calldata c) external returns (bytes32 id, uint256 voided)
    {
        uint256[] calldata owners = c.owners;
        uint256[] calldata rows = c.rows;
        if (rows.length == 0 || rows.length > 256) revert BadLeaves(rows.length);
        if (owners.length > 256) revert BadOwner(256);
        uint64 expiry = c.expiry;
        if (expiry <= block.timestamp || expiry > block.timestamp + MAX_LIFE) revert BadExpiry(expiry);
        Slot storage s = _slots[msg.sender][c.slot];
        if (s.id != 0 && s.resolved != type(uint256).max) revert SlotBusy(c.slot);
        voided = _lock(owners, rows);
        id = BatchHash.committed(c, voided, owners, rows);
        s.id = id;
        unchecked {
            s.resolved = voided | (rows.length == 256 ? 0 : type(uint256).max << rows.length);
        }
        emit BatchCommitted(id, msg.sender, voided);
    }

    /// @inheritdoc IBatches
    function settle(Batch calldata b, Statement[] calldata statements, Line[] calldata lines) external {
        uint256[] calldata owners = b.owners;
        uint256[] calldata rows = b.rows;
        bytes32 id = BatchHash.id(b, owners, rows);
        address solver = b.solver;
        Slot storage slot = _slots[solver][b.slot];
        if (slot.id != id) revert UnknownBatch(id);
        uint256 resolved = slot.resolved;
        Payment memory payment;
        _signed(payment, owners, id, resolved, statements, lines);
        _divide(payment, owners, rows);
        if (payment.paid == 0) return;
        slot.resolved = resolved | payment.paid;
        emit BatchSettled(id, payment.paid);
        if (lines.length != 0) _payLines(payment, owners.length, statements, lines);
        VAULT.payBatch(solver, uint64(payment.fees), payment.to);
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
        Opening calldata o,
        DealCore calldata core,
        bytes32 restHash,
        Signature calldata creatorSig,
        Signature calldata providerSig
    ) external {
        if (block.timestamp > o.expiry) revert TooLate(o.expiry);
        Slot storage slot = _slots[o.solver][o.slot];
        bytes32 id = _opened(o);
        uint256 resolved = slot.resolved;
        // Bits beyond the last leaf are set too.
        if (resolved >> o.leaf & 1 == 1) revert LeafResolved(o.leaf);
        slot.resolved = resolved | 1 << o.leaf;
        bytes32 terms = _requireLeaf(o, core, restHash);
        _requireConsents(core, terms, creatorSig, providerSig);
        emit LeafClaimed(id, o.leaf, _dealId(core));
        VAULT.moveLock(o.solver, core.provider, core.price + core.fee + core.reserve + core.collateral);
        MARKET.openClaimed(core, terms);
    }

    /// @inheritdoc IBatches
    function slotOf(address solver, uint32 slot) external view returns (bytes32 id, uint256 resolved) {
        Slot storage s = _slots[solver][slot];
        return (s.id, s.resolved);
    }

    /// @inheritdoc IBatches
    function batchId(Batch calldata b) external view returns (bytes32) {
        return BatchHash.id(b, b.owners, b.rows);
    }

    // ---- for the faults ----

    /// @dev Id of a batch that stands in its slot.
    function _enter(Batch calldata b) internal view returns (bytes32 id) {
        id = BatchHash.id(b, b.owners, b.rows);
        if (_slots[b.solver][b.slot].id != id) revert UnknownBatch(id);
    }

    /// @dev Id of a batch that stands in its slot, by an opening of one of its leaves.
    function _opened(Opening calldata o) internal view returns (bytes32 id) {
        if (o.leaf >> 4 > o.others.length || o.leaf & 15 >= o.rows.length) revert BadLeaf(o.leaf);
        id = BatchHash.idOf(o);
        if (_slots[o.solver][o.slot].id != id) revert UnknownBatch(id);
    }

    /// @dev Returns creator's and provider's money of unresolved `leaves` to them.
    function _giveBack(Batch calldata b, uint256 leaves) internal {
        uint256[] memory to = b.owners.masked(_OWNER);
        unchecked {
            for (uint256 i; i < b.rows.length; ++i) {
                if (leaves >> i & 1 == 0) continue;
                uint256 row = b.rows[i];
                to.add(Rows.creator(row), Rows.fromCreator(row) << 168);
                to.add(Rows.provider(row), Rows.collateral(row) << 168);
            }
        }
        _slots[b.solver][b.slot].resolved |= leaves;
        VAULT.payBatch(b.solver, 0, to);
    }

    /// @dev The digest of terms that stand at this leaf, equal its row, and were committed in time.
    function _requireLeaf(Opening calldata o, DealCore calldata core, bytes32 restHash)
        internal
        view
        returns (bytes32 terms)
    {
        uint256 row = o.rows[o.leaf & 15];
        uint256 creator = o.owners[Rows.creator(row)];
        terms = _digest(DealHash.terms(core, restHash));
        if (
            core.creator != Rows.account(creator) || core.provider != Rows.account(o.owners[Rows.provider(row)])
                || core.creator == core.provider || uint256(core.collateral) * 2 < uint256(core.price) * 5
                || core.feeTo != o.solver || core.lane != BATCHED || core.price != Rows.price(row)
                || core.fee != Rows.fee(row) || core.reserve != Rows.reserve(row)
                || core.collateral != Rows.collateral(row) || core.attempt > 7 || core.jobNumber / 32 != creator >> 168
                || Rows.mark(row) != 1 << (core.jobNumber % 32 * 8 + core.attempt) || o.committedAt > core.openBy
                || !MerkleProof.verifyCalldata(o.proof, o.root, BatchHash.leaf(o.leaf, terms))
        ) revert BadLeaf(o.leaf);
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

    function _digest(bytes32 structHash) internal view returns (bytes32) {
        return Domain.digest(_domain(), structHash);
    }

    function _dealId(DealCore calldata core) internal view returns (bytes32) {
        return DealHash.id(address(MARKET), core.creator, core.jobNumber, core.attempt);
    }

    /// @dev The domain separator, also right after the chain was forked.
    function _domain() private view returns (bytes32) {
        return block.chainid == _CHAIN ? _DOMAIN : Domain.separator(address(MARKET));
    }

    function _authorised(address account, address signer) internal view override returns (bool) {
        return VAULT.speaksFor(account, signer);
    }

    // ---- commit ----

    /// @dev Marks nullifiers and locks what can be covered; returns the leaves that cannot.
    function _lock(uint256[] calldata owners, uint256[] calldata rows) private returns (uint256) {
        _requireOrder(owners);
        Locks memory locks = _wanted(owners, rows);
        uint256[] memory taken = MARKET.mark(owners, locks.marks);
        if (taken.length != 0) _voidTaken(locks, rows, taken);
        uint256 short = VAULT.lockBatch(msg.sender, LEVERAGE, locks.from);
        if (short != 0) _voidShort(locks, owners, rows, short);
        return locks.voided;
    }

    /// @dev Reverts unless accounts ascend, each once.
    function _requireOrder(uint256[] calldata owners) private pure {
        uint256 last;
        unchecked {
            for (uint256 k; k < owners.length; ++k) {
                uint256 owner = owners.get(k);
                uint256 account = uint160(owner);
                if (account <= last || owner >> 232 != 0) revert BadOwner(k);
                last = account;
            }
        }
    }

    /// @dev Sums and nullifier bits per owner; checks the rows.
    function _wanted(uint256[] calldata owners, uint256[] calldata rows) private pure returns (Locks memory locks) {
        uint256 count = owners.length;
        uint256[] memory from = owners.masked(_OWNER);
        uint256[] memory marks = new uint256[](count);
        // Unchecked: 256 amounts of 66 bits fit above the lowest 168 bits of a word.
        unchecked {
            for (uint256 i; i < rows.length; ++i) {
                uint256 row = rows.get(i);
                uint256 creator = Rows.creator(row);
                uint256 provider = Rows.provider(row);
                if (creator >= count || provider >= count) revert BadRow(i);
                uint256 paid = Rows.fromCreator(row);
                uint256 bit = Rows.mark(row);
                uint256 bits = marks.read(creator);
                if (paid == 0 || bits & bit != 0) revert BadRow(i);
                marks.write(creator, bits | bit);
                from.add(creator, paid << 168);
                from.add(provider, Rows.collateral(row) << 168);
            }
        }
        locks.from = from;
        locks.marks = marks;
    }

    /// @dev Voids leaves whose dealIds were used before: they lock nothing.
    function _voidTaken(Locks memory locks, uint256[] calldata rows, uint256[] memory taken) private pure {
        for (uint256 i; i < rows.length; ++i) {
            uint256 row = rows[i];
            if (taken[Rows.creator(row)] & Rows.mark(row) == 0) continue;
            locks.voided |= 1 << i;
            locks.marks[Rows.creator(row)] &= ~Rows.mark(row);
            locks.from[Rows.creator(row)] -= Rows.fromCreator(row) << 168;
            locks.from[Rows.provider(row)] -= Rows.collateral(row) << 168;
        }
    }

    /// @dev Voids the leaves of owners whose sessions could not cover theirs, and undoes the other side's lock.
    function _voidShort(Locks memory locks, uint256[] calldata owners, uint256[] calldata rows, uint256 short) private {
        uint256[] memory back = owners.masked(_OWNER);
        uint256[] memory unmarked = new uint256[](owners.length);
        for (uint256 i; i < rows.length; ++i) {
            uint256 row = rows[i];
            (uint256 creator, uint256 provider) = (Rows.creator(row), Rows.provider(row));
            if (locks.voided >> i & 1 == 1 || (short >> creator | short >> provider) & 1 == 0) continue;
            locks.voided |= 1 << i;
            unmarked[creator] |= Rows.mark(row);
            if (short >> creator & 1 == 0) back[creator] += Rows.fromCreator(row) << 168;
            if (short >> provider & 1 == 0) back[provider] += Rows.collateral(row) << 168;
        }
        MARKET.unmark(owners, unmarked);
        VAULT.unlockBatch(msg.sender, back);
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
        uint256 line;
        // Unchecked: indices stay below the lengths of calldata.
        unchecked {
            for (uint256 i; i < statements.length; ++i) {
                Statement calldata s = statements[i];
                uint256 k = s.owner;
                if (k < next || k >= owners.length) revert BadStatement(i);
                next = k + 1;
                uint256 first = line;
                while (line < lines.length && lines[line].statement == i) ++line;
                address creator = Rows.account(owners.get(k));
                bytes32 hash = BatchHash.statement(id, creator, s.leaves, lines, first, line);
                _requireSignedBy(creator, Domain.digest(domain, hash), s.signature);
                applied.write(k, s.leaves & ~resolved);
            }
        }
        if (line != lines.length) revert BadLine(line);
    }

    /// @dev Divides the rows of the leaves that are paid.
    function _divide(Payment memory payment, uint256[] calldata owners, uint256[] calldata rows) private pure {
        uint256[] memory applied = payment.applied;
        uint256[] memory to = owners.masked(_OWNER);
        uint256 paid;
        uint256 fees;
        // Unchecked: every row is money in the solver's `locked`, of which the Vault takes the sum.
        unchecked {
            for (uint256 i; i < rows.length; ++i) {
                uint256 row = rows.get(i);
                uint256 creator = Rows.creator(row);
                if (applied.read(creator) >> i & 1 == 0) continue;
                paid |= 1 << i;
                to.add(Rows.provider(row), (Rows.price(row) + Rows.collateral(row)) << 168);
                fees += Rows.fee(row);
                uint256 reserve = Rows.reserve(row);
                if (reserve != 0) to.add(creator, reserve << 168);
            }
        }
        payment.to = to;
        payment.paid = paid;
        payment.fees = fees;
    }

    /// @dev Pays lines out of what their creators get back, as far as it goes.
    function _payLines(Payment memory payment, uint256 owners, Statement[] calldata statements, Line[] calldata lines)
        private
        pure
    {
        uint256[] memory to = new uint256[](owners + lines.length);
        for (uint256 k; k < owners; ++k) {
            to[k] = payment.to[k];
        }
        for (uint256 i; i < lines.length; ++i) {
            uint256 k = statements[lines[i].statement].owner;
            uint256 amount = lines[i].amount;
            if (payment.applied[k] == 0 || amount > to[k] >> 168) continue;
            to[k] -= amount << 168;
            to[owners + i] = amount << 168 | uint160(lines[i].payee);
        }
        payment.to = to;
    }
}
