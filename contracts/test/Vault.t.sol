// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "./Fixture.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IVault, Order} from "../src/interfaces/IVault.sol";

/// @dev Money in and out of the vault, bonds, and its three doors for modules.
contract VaultTest is Fixture {
    function _permit(uint256 key, uint256 value, uint256 deadline)
        private
        view
        returns (uint8 v, bytes32 r, bytes32 s)
    {
        bytes32 hash = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                vm.addr(key),
                address(vault),
                value,
                token.nonces(vm.addr(key)),
                deadline
            )
        );
        return vm.sign(key, keccak256(abi.encodePacked("\x19\x01", token.DOMAIN_SEPARATOR(), hash)));
    }

    function test_theTokenHasNineDecimalsAndAFixedSupply() public view {
        eq(token.decimals(), 9, "decimals");
        eq(token.totalSupply(), 1e18, "supply");
        isTrue(token.totalSupply() <= type(uint64).max, "fits uint64");
        eq(token.clock(), START, "votes by time");
    }

    function test_depositAndWithdraw() public {
        vm.prank(creator);
        vault.withdraw(stranger, 10);
        eq(token.balanceOf(stranger), 10, "withdrawn");
        eq(_free(creator), FUNDS - 10, "free");
        vm.prank(creator);
        vm.expectRevert(abi.encodeWithSelector(IVault.InsufficientFree.selector, creator, FUNDS - 10, FUNDS));
        vault.withdraw(creator, FUNDS);
        vm.prank(creator);
        _expectRevert(IVault.ZeroAddress.selector);
        vault.withdraw(address(0), 1);
        _expectRevert(IVault.ZeroAddress.selector);
        vault.deposit(address(0), 1);
        _expectSolvent();
    }

    function test_depositForBringsAnOwnerWithoutEtherIn() public {
        token.transfer(stranger, 100);
        (uint8 v, bytes32 r, bytes32 s) = _permit(STRANGER_KEY, 60, START);
        vm.prank(solver);
        vault.depositFor(stranger, 60, START, v, r, s);
        eq(_free(stranger), 60, "free");
        eq(token.balanceOf(stranger), 40, "kept");
        vm.expectRevert(); // the permit's nonce is spent
        vault.depositFor(stranger, 60, START, v, r, s);
        _expectSolvent();
    }

    /// @dev The account never calls anything: permit, consent, acceptance and withdrawal are signatures that the solver sends.
    function test_anAccountThatNeverCallsDepositsBuysAndWithdraws() public {
        uint64 amount = 200 * LILY;
        address to = vm.addr(0xDE57);
        token.transfer(stranger, amount);
        _carryDeposit(amount);
        _carryDeal();
        _carryWithdrawal(to, amount - PRICE - FEE);
        eq(token.balanceOf(to), amount - PRICE - FEE, "all but price and fee came out");
        eq(_free(stranger), 0, "nothing left in the Vault");
        _expectSolvent();
    }

    function _carryDeposit(uint64 amount) private {
        (uint8 v, bytes32 r, bytes32 s) = _permit(STRANGER_KEY, amount, START);
        vm.prank(solver);
        vault.depositFor(stranger, amount, START, v, r, s);
    }

    function _carryDeal() private {
        DealCore memory core = _core(1);
        core.creator = stranger;
        bytes32 rest = market.restHash(_rest());
        bytes32 terms = market.termsDigest(core, _rest());
        Signature memory acceptance = _acceptance(STRANGER_KEY, core, MANIFEST);
        vm.startPrank(solver);
        market.open(core, rest, _sign(STRANGER_KEY, terms), _sign(PROVIDER_KEY, terms));
        market.settle(core, rest, MANIFEST, acceptance);
        vm.stopPrank();
    }

    function _carryWithdrawal(address to, uint64 amount) private {
        Order memory order = Order(1, stranger, to, 0, amount, 0);
        bytes32 typehash =
            keccak256("Order(uint8 kind,address account,address to,uint8 number,uint64 amount,uint64 nonce)");
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(STRANGER_KEY, market.digest(keccak256(abi.encode(typehash, order))));
        vm.prank(solver);
        vault.order(order, abi.encodePacked(r, s, v));
    }

    function test_anAllowanceLetsNobodyElseMoveTheTokensIn() public {
        token.transfer(stranger, 100);
        vm.prank(stranger);
        token.approve(address(vault), 100);
        (uint8 v, bytes32 r, bytes32 s) = _permit(CREATOR_KEY, 60, START);
        vm.expectRevert();
        vault.depositFor(stranger, 60, START, v, r, s);
        eq(_free(stranger), 0, "free");
    }

    function test_bondsLeaveOnlyAfterTheUnbondingTime() public {
        address m = vm.addr(MEDIATOR_KEY);
        vm.prank(m);
        vm.expectRevert(abi.encodeWithSelector(IVault.InsufficientBond.selector, m, MIN_BOND, MIN_BOND + 1));
        vault.startUnbond(MIN_BOND + 1);
        vm.prank(m);
        _expectRevert(IVault.NothingThere.selector);
        vault.startUnbond(0);
        vm.prank(m);
        _expectRevert(IVault.NothingThere.selector);
        vault.finishUnbond();
        vm.prank(m);
        vault.startUnbond(40);
        eq(vault.bondOf(m), MIN_BOND - 40, "bond");
        vm.warp(START + UNBONDING - 1);
        vm.prank(m);
        _expectRevert(IVault.StillBonded.selector, START + UNBONDING);
        vault.finishUnbond();
        vm.prank(m);
        vault.startUnbond(2); // restarts the clock for both
        vm.warp(START + UNBONDING);
        vm.prank(m);
        _expectRevert(IVault.StillBonded.selector, START + 2 * UNBONDING - 1);
        vault.finishUnbond();
        vm.warp(START + 2 * UNBONDING - 1);
        vm.prank(m);
        vault.finishUnbond();
        eq(_free(m), 42, "free");
        eq(vault.unbondAt(m), START + 2 * UNBONDING - 1, "unbondAt");
        _expectSolvent();
    }

    function test_bondComesFromFreeMoney() public {
        vm.prank(creator);
        vault.addBond(FUNDS);
        eq(vault.bondOf(creator), FUNDS, "bond");
        vm.prank(creator);
        vm.expectRevert(abi.encodeWithSelector(IVault.InsufficientFree.selector, creator, 0, 1));
        vault.addBond(1);
        _expectSolvent();
    }

    function test_onlyMarketAndCourtHaveKeys() public {
        address[3] memory others = [creator, address(court), address(this)];
        for (uint256 i; i < 3; ++i) {
            vm.prank(others[i]);
            _expectRevert(IVault.NotMarket.selector);
            vault.lock(creator, provider, 1, 1);
            vm.prank(others[i]);
            _expectRevert(IVault.NotMarket.selector);
            vault.pull(creator, provider, 1);
            vm.prank(others[i]);
            _expectRevert(IVault.NotMarket.selector);
            vault.release(provider, 0, 0, creator, 0, solver, 0, stranger, 0);
        }
        vm.prank(address(market));
        _expectRevert(IVault.NotCourt.selector);
        vault.slashBond(creator);
    }

    function testFuzz_releaseConservesMoney(uint64 fromCreator, uint64 fromProvider, uint64[4] memory parts) public {
        fromCreator %= FUNDS;
        fromProvider %= FUNDS;
        uint64 escrow = fromCreator + fromProvider;
        uint64 left = escrow;
        for (uint256 i; i < 4; ++i) {
            parts[i] = left == 0 ? 0 : parts[i] % (left + 1);
            left -= parts[i];
        }
        vm.prank(address(market));
        vault.lock(creator, provider, fromCreator, fromProvider);
        _expectSolvent();
        vm.prank(address(market));
        vault.release(provider, escrow, parts[0], creator, parts[1], solver, parts[2], stranger, parts[3]);
        eq(vault.pool(), left, "the rest is in the pool");
        eq(vault.account(provider).locked, 0, "nothing locked");
        _expectSolvent();
    }

    function test_releaseBeyondTheEscrowReverts() public {
        vm.prank(address(market));
        vault.lock(creator, provider, 10, 0);
        bytes memory beyond = abi.encodePacked(IVault.BeyondEscrow.selector);
        vm.prank(address(market));
        vm.expectRevert(beyond);
        vault.release(provider, 10, 5, creator, 6, solver, 0, stranger, 0);
        vm.prank(address(market));
        vm.expectRevert(beyond);
        vault.release(provider, 10, 5, creator, 1, solver, 2, stranger, 3);
        vm.prank(address(market));
        vm.expectRevert(beyond);
        vault.release(provider, 11, 0, creator, 0, solver, 0, stranger, 0);
    }

    function test_aVaultNeedsItsModulesAndATokenThatFits() public {
        for (uint256 i; i < 4; ++i) {
            address[4] memory modules = [address(1), address(1), address(1), address(1)];
            modules[i] = address(0);
            _expectCreateRevert(IVault.ZeroAddress.selector, "Vault", abi.encode(token, modules, UNBONDING));
        }
        address[4] memory all = [address(1), address(1), address(1), address(1)];
        IERC20 large = new TokenOf(uint256(type(uint64).max) + 1);
        _expectCreateRevert(IVault.SupplyTooLarge.selector, "Vault", abi.encode(large, all, UNBONDING));
        IERC20 largest = new TokenOf(type(uint64).max);
        isTrue(_create("Vault", abi.encode(largest, all, UNBONDING)) != address(0), "the largest supply that fits");
    }

    // ---- what Market, Court and Batches cannot do either ----

    function test_noModuleTakesMoreThanIsLocked() public {
        address m = vm.addr(MEDIATOR_KEY); // its bond stands above `locked` in the same word
        vm.prank(address(market));
        vault.lock(creator, m, 10, 0);
        uint256[] memory words = new uint256[](1);
        words[0] = 11 << 168 | uint160(stranger);
        vm.prank(address(batches));
        _expectRevert(IVault.BeyondEscrow.selector);
        vault.payBatch(m, 0, words);
        vm.prank(address(batches));
        _expectRevert(IVault.BeyondEscrow.selector);
        vault.moveLock(m, stranger, 11);
        vm.prank(address(batches));
        vault.moveLock(m, stranger, 10);
        eq(vault.account(stranger).locked, 10, "all of it");
        eq(vault.account(m).locked, 0, "and no more");
    }

    function test_aProviderMayLockAllItHas() public {
        vm.prank(address(market));
        vault.lock(creator, provider, 0, FUNDS);
        eq(_free(provider), 0, "free");
        eq(vault.account(provider).locked, FUNDS, "locked");
    }

    function test_aSlashTakesTheBondFirstThenWhatIsUnbonding() public {
        address m = vm.addr(MEDIATOR_KEY);
        vm.prank(m);
        vault.startUnbond(MIN_BOND - 10);
        vm.prank(address(court));
        eq(vault.slash(m, 25, stranger, 7), 25, "taken");
        eq(vault.bondOf(m), 0, "all of the bond");
        eq(vault.account(m).unbonding, MIN_BOND - 25, "the rest of what is on its way out");
        eq(_free(stranger), 7, "the victim's share");
        eq(vault.pool(), 18, "the pool's");
        _expectSolvent();
    }
}

contract TokenOf is ERC20 {
    constructor(uint256 supply) ERC20("", "") {
        _mint(msg.sender, supply);
    }
}
