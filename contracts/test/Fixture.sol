// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Vm} from "./Vm.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {Account, IVault} from "../src/interfaces/IVault.sol";
import {IMarket} from "../src/interfaces/IMarket.sol";
import {IBatches} from "../src/interfaces/IBatches.sol";
import {IFaults} from "../src/interfaces/IFaults.sol";
import {ICourt} from "../src/interfaces/ICourt.sol";
import {IVouchers} from "../src/interfaces/IVouchers.sol";
import "../src/libraries/DealTypes.sol";
import {CaseWord} from "../src/libraries/CaseWord.sol";

/// @dev What the tests call of LilyToken.
interface ILilyToken is IERC20, IERC20Permit {
    function decimals() external view returns (uint8);
    function clock() external view returns (uint48);
}

/// @dev A deployment, funded parties, and builders for everything they sign.
abstract contract Fixture {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    uint64 internal constant LILY = 1e9;
    uint64 internal constant START = 1_000_000;
    uint64 internal constant UNBONDING = 10_000;
    uint64 internal constant MIN_BOND = 100 * LILY;
    uint64 internal constant FUNDS = 1_000 * LILY;

    uint64 internal constant PRICE = 100 * LILY;
    uint64 internal constant FEE = 5 * LILY;
    uint64 internal constant COLLATERAL = 250 * LILY;
    uint64 internal constant RESERVE = 40 * LILY;
    uint64 internal constant CLAIM_FEE = 10 * LILY;
    uint64 internal constant AUDIT_FEE = 20 * LILY;

    bytes32 internal constant SALT_C = keccak256("salt of the creator");
    bytes32 internal constant SALT_P = keccak256("salt of the provider");
    bytes32 internal constant MANIFEST = keccak256("manifest");
    bytes32 internal constant OUTPUTS = keccak256("outputs");

    uint256 internal constant CREATOR_KEY = 0xC0;
    uint256 internal constant PROVIDER_KEY = 0xB0;
    uint256 internal constant STRANGER_KEY = 0x50;
    uint256 internal constant MEDIATOR_KEY = 0x3E0; // and the following two

    address internal creator = vm.addr(CREATOR_KEY);
    address internal provider = vm.addr(PROVIDER_KEY);
    address internal solver = vm.addr(0xFEE);
    address internal stranger = vm.addr(STRANGER_KEY);

    ILilyToken internal token;
    IVault internal vault;
    IMarket internal market;
    ICourt internal court;
    IBatches internal batches;
    IFaults internal faults; // the same contract
    IVouchers internal vouchers;

    /// @dev Drawn mediators by dealId, as the Court's events have them.
    mapping(bytes32 dealId => address[]) internal _panels;

    function setUp() public virtual {
        vm.warp(START);
        token = ILilyToken(_create("LilyToken", abi.encode(address(this))));
        (vault, market, court) = _deploy(token);
        token.approve(address(vault), type(uint256).max);
        vault.deposit(creator, FUNDS);
        vault.deposit(provider, FUNDS);
        for (uint256 i; i < 3; ++i) {
            address m = vm.addr(MEDIATOR_KEY + i);
            _enlistMediator(m);
        }
    }

    /// @dev Who decides appeals.
    function _judge() internal view virtual returns (address) {
        return address(0);
    }

    function _deploy(ILilyToken token_) internal returns (IVault v, IMarket m, ICourt c) {
        uint64 nonce = vm.getNonce(address(this));
        address marketAt = vm.computeCreateAddress(address(this), nonce + 1);
        address courtAt = vm.computeCreateAddress(address(this), nonce + 2);
        address batchesAt = vm.computeCreateAddress(address(this), nonce + 3);
        address vouchersAt = vm.computeCreateAddress(address(this), nonce + 4);
        v = IVault(_create("Vault", abi.encode(token_, marketAt, courtAt, batchesAt, vouchersAt, UNBONDING)));
        m = IMarket(_create("Market", abi.encode(v, courtAt, batchesAt)));
        c = ICourt(_create("Court", abi.encode(v, m, MIN_BOND, _judge())));
        batches = IBatches(_create("Batches", abi.encode(v, m)));
        faults = IFaults(address(batches));
        vouchers = IVouchers(_create("Vouchers", abi.encode(v)));
    }

    /// @dev From the artifact, not by `new`, and typed by interface: so the tests themselves are
    /// compiled without the optimising pipeline (foundry.toml), in seconds instead of minutes.
    function _create(string memory name_, bytes memory args) internal returns (address created) {
        bytes memory code =
            abi.encodePacked(vm.getCode(string.concat("contracts/out/", name_, ".sol/", name_, ".json")), args);
        assembly ("memory-safe") {
            created := create(0, add(code, 0x20), mload(code))
        }
    }

    // ---- terms and messages ----

    function _core(uint64 jobNumber) internal view returns (DealCore memory) {
        return DealCore({
            creator: creator,
            provider: provider,
            feeTo: solver,
            price: PRICE,
            fee: FEE,
            collateral: COLLATERAL,
            reserve: RESERVE,
            jobNumber: jobNumber,
            attempt: 0,
            lane: 0,
            openBy: START + 100
        });
    }

    function _list() internal pure returns (MediatorList memory list) {
        list.mediators = new address[](3);
        list.weights = new uint64[](3);
        for (uint256 i; i < 3; ++i) {
            list.mediators[i] = vm.addr(MEDIATOR_KEY + i);
            list.weights[i] = uint64(10 * (i + 1));
        }
    }

    function _rest() internal pure returns (DealRest memory rest) {
        MediatorList memory list = _list();
        rest.jobOfferId = keccak256("job");
        rest.resourceOfferId = keccak256("resource");
        rest.solutionId = keccak256("solution");
        rest.verification = 1;
        rest.mediatorRoot = keccak256(abi.encode(list.mediators, list.weights));
        rest.creatorSaltHash = keccak256(abi.encode(SALT_C));
        rest.providerSaltHash = keccak256(abi.encode(SALT_P));
        rest.startBy = START + 200;
        rest.submitSeconds = 300;
        rest.judgeSeconds = 400;
        rest.challengeSeconds = 500;
        rest.claimFee = CLAIM_FEE;
        rest.auditFee = AUDIT_FEE;
        rest.parameters = keccak256("parameters");
    }

    function _id(DealCore memory core) internal view returns (bytes32) {
        return market.dealId(core.creator, core.jobNumber, core.attempt);
    }

    function _sign(uint256 key, bytes32 digest) internal pure returns (Signature memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return Signature(r, s | bytes32(uint256(v - 27) << 255));
    }

    function _signStruct(uint256 key, bytes memory encoded) internal view returns (Signature memory) {
        return _sign(key, market.digest(keccak256(encoded)));
    }

    function _acceptance(uint256 key, DealCore memory core, bytes32 manifest) internal view returns (Signature memory) {
        return
            _signStruct(key, abi.encode(keccak256("Acceptance(bytes32 dealId,bytes32 manifest)"), _id(core), manifest));
    }

    function _receipt(DealCore memory core) internal view returns (StartReceipt memory) {
        return StartReceipt(_id(core), keccak256("inputs"), bytes32(0), START + 10);
    }

    function _signReceipt(uint256 key, StartReceipt memory receipt) internal view returns (Signature memory) {
        return _signStruct(
            key, abi.encode(keccak256("StartReceipt(bytes32 dealId,bytes32 inputRoot,bytes32 sealedRoot,uint64 startedAt)"), receipt)
        );
    }

    function _signResult(uint256 key, ResultCommit memory result) internal view returns (Signature memory) {
        return _signStruct(
            key, abi.encode(keccak256("ResultCommit(bytes32 dealId,bytes32 manifest,bytes32 outputRoot)"), result)
        );
    }

    function _signChallenge(uint256 key, Challenge memory c) internal view returns (Signature memory) {
        return _signStruct(key, abi.encode(keccak256("Challenge(bytes32 dealId,bytes32 manifest,uint8 kind)"), c));
    }

    function _signVerdict(uint256 key, Verdict memory v) internal view returns (Signature memory) {
        return _signStruct(
            key, abi.encode(keccak256("Verdict(bytes32 dealId,bytes32 manifest,uint8 outcome,bytes32 evidence)"), v)
        );
    }

    function _nullification(uint256 key, uint64 jobNumber) internal view returns (Signature memory) {
        return _signStruct(key, abi.encode(keccak256("Nullify(uint64 jobNumber)"), jobNumber));
    }

    // ---- steps ----

    function _open(DealCore memory core, DealRest memory rest) internal {
        bytes32 digest = market.termsDigest(core, rest);
        market.open(core, market.restHash(rest), _sign(CREATOR_KEY, digest), _sign(PROVIDER_KEY, digest));
    }

    function _settle(DealCore memory core, DealRest memory rest) internal {
        if (_stateOf(core, rest) == State.Challenged) {
            court.settle(core, _docket(rest), MANIFEST, _acceptance(CREATOR_KEY, core, MANIFEST));
            return;
        }
        market.settle(core, market.restHash(rest), MANIFEST, _acceptance(CREATOR_KEY, core, MANIFEST));
    }

    function _submit(DealCore memory core, DealRest memory rest) internal virtual {
        StartReceipt memory receipt = _receipt(core);
        ResultCommit memory result = ResultCommit(_id(core), MANIFEST, OUTPUTS);
        market.submit(
            core,
            rest,
            receipt,
            _signReceipt(CREATOR_KEY, receipt),
            _signReceipt(PROVIDER_KEY, receipt),
            result,
            _signResult(PROVIDER_KEY, result)
        );
    }

    function _timeoutSubmit(DealCore memory core, DealRest memory rest) internal {
        StartReceipt memory receipt = _receipt(core);
        market.timeoutSubmit(
            core, rest, receipt, _signReceipt(CREATOR_KEY, receipt), _signReceipt(PROVIDER_KEY, receipt)
        );
    }

    function _complaint(DealCore memory core, bytes32 manifest, uint8 kind) internal view returns (Complaint memory) {
        return Complaint(
            manifest,
            OUTPUTS,
            _signResult(PROVIDER_KEY, ResultCommit(_id(core), manifest, OUTPUTS)),
            kind,
            _signChallenge(CREATOR_KEY, Challenge(_id(core), manifest, kind)),
            SALT_C
        );
    }

    /// @dev The docket of a challenge over MANIFEST.
    function _docket(DealRest memory rest) internal view returns (Docket memory) {
        return Docket({
            restHash: market.restHash(rest),
            mediatorRoot: rest.mediatorRoot,
            providerSaltHash: rest.providerSaltHash,
            manifest: MANIFEST,
            saltCreator: SALT_C,
            claimFee: rest.claimFee,
            auditFee: rest.auditFee,
            window: uint32(court.windowOf(rest)),
            appealSeconds: rest.appealSeconds,
            verdicts: rest.verdicts
        });
    }

    function _panel(DealCore memory core) internal view returns (Panel memory) {
        return Panel(SALT_P, _panels[_id(core)]);
    }

    /// @dev Last second of the dispute's step.
    function _until(DealCore memory core, DealRest memory rest) internal view returns (uint256) {
        return CaseWord.until(market.caseOf(market.termsDigest(core, rest)));
    }

    function _challenge(DealCore memory core, DealRest memory rest) internal {
        court.challenge(core, rest, _complaint(core, MANIFEST, 1));
    }

    function _reveal(DealCore memory core, DealRest memory rest) internal {
        _panels[_id(core)] = court.reveal(core, _docket(rest), _list(), SALT_P);
    }

    function _answer(DealCore memory core, uint8 seat, uint8 outcome) internal view returns (Answer memory) {
        address[] memory panel = _panels[_id(core)];
        uint256 key = seat < panel.length ? _keyOf(panel[seat]) : MEDIATOR_KEY;
        bytes32 evidence = keccak256("evidence");
        return Answer(seat, outcome, evidence, _signVerdict(key, Verdict(_id(core), MANIFEST, outcome, evidence)));
    }

    function _answers(DealCore memory core, uint8 outcome) internal view returns (Answer[] memory answers) {
        answers = new Answer[](1);
        answers[0] = _answer(core, 0, outcome);
    }

    /// @dev One step of a panel's silence.
    function _timeoutVerdict(DealCore memory core, DealRest memory rest) internal {
        _panels[_id(core)] = court.timeoutVerdict(core, _docket(rest), _panel(core), _list());
    }

    /// @dev Silence until the dispute ends.
    function _exhaust(DealCore memory core, DealRest memory rest) internal {
        do {
            _timeoutVerdict(core, rest);
            vm.warp(block.timestamp + 100 * UNBONDING);
        } while (_stateOf(core, rest) == State.Drawn);
    }

    function _keyOf(address mediator) internal pure returns (uint256 key) {
        for (key = MEDIATOR_KEY; key < MEDIATOR_KEY + 3; ++key) {
            if (vm.addr(key) == mediator) return key;
        }
        revert("no key of this mediator");
    }

    function _verdict(DealCore memory core, DealRest memory rest, uint8 outcome) internal {
        court.verdict(core, _docket(rest), _panel(core), _answers(core, outcome));
    }

    // ---- looking ----

    function _stateOf(DealCore memory core, DealRest memory rest) internal view returns (State) {
        return market.stateOf(core, market.restHash(rest));
    }

    function _free(address who) internal view returns (uint64) {
        return vault.account(who).free;
    }

    /// @dev Free money of the three parties and the pool after a deal, and nothing left in escrow.
    function _expectMoney(uint64 creatorFree, uint64 providerFree, uint64 solverFree, uint64 pool) internal view {
        eq(_free(creator), creatorFree, "creator's free money");
        eq(_free(provider), providerFree, "provider's free money");
        eq(_free(solver), solverFree, "solver's free money");
        eq(vault.pool(), pool, "pool");
        eq(vault.account(provider).locked, 0, "escrow left");
        _expectSolvent();
    }

    function _expectSolvent() internal view {
        address[7] memory all = [
            creator,
            provider,
            solver,
            stranger,
            vm.addr(MEDIATOR_KEY),
            vm.addr(MEDIATOR_KEY + 1),
            vm.addr(MEDIATOR_KEY + 2)
        ];
        uint256 sum = vault.pool();
        for (uint256 i; i < all.length; ++i) {
            Account memory a = vault.account(all[i]);
            sum += uint256(a.free) + a.locked + a.bond + a.unbonding;
        }
        eq(token.balanceOf(address(vault)), sum, "vault balance is the sum of accounts and pool");
    }

    error Unequal(string what, uint256 found, uint256 wanted);

    function eq(uint256 found, uint256 wanted, string memory what) internal pure {
        if (found != wanted) revert Unequal(what, found, wanted);
    }

    function eq(State found, State wanted) internal pure {
        eq(uint256(found), uint256(wanted), "state");
    }

    function isTrue(bool found, string memory what) internal pure {
        if (!found) revert Unequal(what, 0, 1);
    }

    function _expectCreateRevert(bytes4 selector, string memory name_, bytes memory args) internal {
        bytes4 reason;
        address created = _create(name_, args);
        assembly ("memory-safe") {
            if eq(returndatasize(), 4) {
                returndatacopy(0, 0, 4)
                reason := mload(0)
            }
        }
        isTrue(created == address(0), "constructor must revert");
        isTrue(reason == selector, "reason of the constructor");
    }

    function _expectRevert(bytes4 selector) internal {
        vm.expectRevert(abi.encodePacked(selector));
    }

    function _expectRevert(bytes4 selector, uint256 argument) internal {
        vm.expectRevert(abi.encodeWithSelector(selector, argument));
    }

    function _expectRevert(bytes4 selector, address argument) internal {
        vm.expectRevert(abi.encodeWithSelector(selector, argument));
    }

    /// @dev Gives an account the bond of a mediator and registers it.
    function _enlistMediator(address account) internal {
        vault.deposit(account, MIN_BOND);
        vm.prank(account);
        vault.addBond(MIN_BOND);
        vm.prank(account);
        court.register();
    }
}
