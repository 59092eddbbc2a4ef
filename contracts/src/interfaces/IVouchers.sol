// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Signature} from "../libraries/DealTypes.sol";

/// @notice What a payer sets aside for one payee, in all; EIP-712:
/// Reservation(address payer,address payee,address signer,uint64 amount,uint64 nonce,uint64 expiry,uint32 closeSeconds)
struct Reservation {
    address payer;
    address payee;
    address signer; // signs the vouchers; fixed for the channel
    uint64 amount; // nLILY, in all
    uint64 nonce; // of the channel: 1 for the pair's first
    uint64 expiry; // last second to redeem
    uint32 closeSeconds; // the payee's time once the payer closes
}

/// @notice The signer's word: the payee may have `amount` of this channel in all. EIP-712:
/// Voucher(address payer,address payee,uint64 nonce,uint64 amount)
struct Voucher {
    address payer;
    address payee;
    uint64 nonce;
    uint64 amount;
}

/// @notice A pair's channel. What is left of it, reserved - paid, stands in the payer's `locked`.
struct Channel {
    uint64 nonce; // of the newest channel, live or not
    uint64 reserved; // in all
    uint64 paid; // in all
    uint64 until; // last second to redeem; zero: no channel is live
    address signer;
    uint32 closeSeconds;
    bool isClosing; // by its payer
}

/// @title Cumulative vouchers between a payer and a payee, over money reserved for that pair
/// @notice Rules: protocol/vouchers.md.
interface IVouchers {
    /// @notice The channel was opened, or raised by `added` of the payer's free money.
    event Reserved(
        address indexed payer,
        address indexed payee,
        uint64 nonce,
        address signer,
        uint64 added,
        uint64 reserved,
        uint64 expiry,
        uint32 closeSeconds
    );
    /// @notice The payee got `amount`, with that `paid` in all.
    event Redeemed(address indexed payer, address indexed payee, uint64 nonce, uint64 amount, uint64 paid);
    /// @notice The payer closes: the payee may redeem until `until`.
    event Closing(address indexed payer, address indexed payee, uint64 nonce, uint64 until);
    /// @notice The channel is over; `rest` is the payer's free money again.
    event Closed(address indexed payer, address indexed payee, uint64 nonce, uint64 rest);

    /// @notice The Vault names another contract.
    error BadVouchers();
    /// @notice A field is zero or beyond its limit, or the reservation takes something back.
    error BadReservation();
    /// @notice The pair's channel has nonce `expected`.
    error BadNonce(uint64 nonce, uint64 expected);
    /// @notice The pair has no live channel.
    error NoChannel();
    /// @notice That much was paid already.
    error NothingToRedeem(uint64 paid);
    /// @notice Over since `deadline`, or the payer closes.
    error TooLate(uint64 deadline);

    /// @notice Opens the pair's next channel, or raises amount or expiry of the live one, by the payer's
    /// signature; empty if the payer calls.
    function reserve(Reservation calldata reservation, bytes calldata signature) external;

    /// @notice Pays what the voucher says beyond what was paid, as far as it is reserved. Anyone may call.
    function redeem(Voucher calldata voucher, Signature calldata signature) external;

    /// @notice The payer wants the rest back: the channel ends `closeSeconds` from now at the latest.
    /// Signature of StartClose(address payer,address payee,uint64 nonce); empty if the payer calls.
    function startClose(address payer, address payee, uint64 nonce, bytes calldata signature) external;

    /// @notice Gives the payer the rest: after the channel's end anyone may call, before it the payee, or
    /// anyone with its signature over Close(address payer,address payee,uint64 nonce).
    function close(address payer, address payee, uint64 nonce, bytes calldata signature) external;

    /// @notice The pair's channel.
    function channelOf(address payer, address payee) external view returns (Channel memory);
}
