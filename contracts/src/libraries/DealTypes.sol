// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

// The signed structures of a deal, one to one with the EIP-712 types in protocol/deal.md.
// Amounts are nLILY (9 decimals); times are unix seconds compared with block.timestamp.

/// @notice Compact signature after EIP-2098: `vs` carries the recovery bit above a low `s`.
struct Signature {
    bytes32 r;
    bytes32 vs;
}

/// @notice What the happy path reads: parties, money, place and the last second of opening.
struct DealCore {
    address creator;
    address provider;
    address feeTo; // zero: the fee goes to the pool
    uint64 price;
    uint64 fee;
    uint64 collateral;
    uint64 reserve; // creator's money set aside for claimFee and auditFee; returned if unused
    uint64 jobNumber;
    uint8 attempt; // 0..7
    uint32 lane; // provider's reusable storage word
    uint64 openBy;
}

/// @notice What only the rare paths read; the happy path carries its hash.
struct DealRest {
    bytes32 jobOfferId;
    bytes32 resourceOfferId;
    bytes32 solutionId;
    uint8 verification;
    uint16 auditBp; // audit probability in 1/10,000
    bytes32 mediatorRoot; // keccak256(abi.encode(address[], uint64[])); zero: not mediable
    bytes32 creatorSaltHash;
    bytes32 providerSaltHash;
    uint64 startBy;
    uint32 submitSeconds; // from StartReceipt.startedAt
    uint32 judgeSeconds; // from the submission
    uint32 challengeSeconds; // for the reveal, and again for the verdict
    uint64 claimFee;
    uint64 auditFee;
    bytes32 parameters;
    bytes32 linesRoot; // payees beside provider and feeTo; zero: none
    bytes32 certificateSet; // price certificates; zero: the reference price
    bytes32 creatorKey; // X25519; zero: not sealed
    bytes32 providerKey;
    address watcher; // acts for a creator that cannot be online; zero: none
    uint8 replicas; // providers that run the job, and how many must agree; zero: one
    uint8 quorum;
    uint32 tolerancePpm; // within which results agree; zero: bit for bit
    uint8 tier; // 0: deterministic, re-execution decides; 1: only within one hardware class
    uint8 verdicts; // mediators whose verdicts must agree; zero: one
    bytes32 hardwareClass; // keccak256 of its name; zero: none
    uint32 appealSeconds; // after a verdict; zero: no appeal
}

/// @notice Signed by creator and provider when the inputs have arrived: starts the clock.
struct StartReceipt {
    bytes32 dealId;
    bytes32 inputRoot;
    bytes32 sealedRoot; // what travelled, where the inputs are sealed; else zero
    uint64 startedAt;
}

/// @notice Signed by the provider; `manifest` is the sha2-256 digest of the manifest document.
struct ResultCommit {
    bytes32 dealId;
    bytes32 manifest;
    bytes32 outputRoot;
}

/// @notice Signed by the creator. Kinds: 1 wrong, 2 unavailable, 3 mis-sealed.
struct Challenge {
    bytes32 dealId;
    bytes32 manifest;
    uint8 kind;
}

/// @notice Signed by the drawn mediator. Outcomes: 1 correct, 2 wrong, 3 inconclusive.
struct Verdict {
    bytes32 dealId;
    bytes32 manifest;
    uint8 outcome;
    bytes32 evidence;
}

/// @notice The preimage of `mediatorRoot`; both arrays have the same length, at most 64.
struct MediatorList {
    address[] mediators;
    uint64[] weights;
}

/// @notice What a challenge shows.
struct Complaint {
    bytes32 manifest;
    bytes32 outputRoot;
    Signature providerSig; // over ResultCommit
    uint8 kind;
    Signature creatorSig; // over Challenge
    bytes32 saltCreator;
}

/// @notice A dispute, as calls bring it: the chain keeps a hash. From the terms, but for `manifest`
/// and `saltCreator`, which the event Challenged gives.
struct Docket {
    bytes32 restHash;
    bytes32 mediatorRoot;
    bytes32 providerSaltHash;
    bytes32 manifest;
    bytes32 saltCreator;
    uint64 claimFee;
    uint64 auditFee;
    uint32 window; // seconds of each step: Court.windowOf
    uint32 appealSeconds;
    uint8 verdicts;
}

/// @notice The mediators drawn, in the order of their events: first those with a seat, then those
/// whose seat another got.
struct Panel {
    bytes32 saltProvider;
    address[] mediators;
}

/// @notice The signed verdict of the mediator on `seat`.
struct Answer {
    uint8 seat;
    uint8 outcome;
    bytes32 evidence;
    Signature signature;
}

/// @notice What a dispute ends with unless an appeal changes it; the event Ruled gives it.
struct Ruling {
    uint8 outcome;
    uint64 each; // nLILY to each of `paid`
    address[] paid;
    address appellant; // zero: nobody appealed
}

/// @notice What a provider put on chain.
struct Submission {
    uint64 submittedAt; // zero: nothing submitted
    bytes32 manifest;
}

/// @notice How an escrow is divided; what is left over goes to the pool.
struct Payout {
    uint64 toProvider;
    uint64 toCreator;
    uint64 toFee;
    uint64 toEach; // of `mediators`
    address[] mediators;
}

/// @notice State byte of a lane. Everything from Settled on is terminal and frees the lane.
enum State {
    None,
    Open,
    Submitted,
    Challenged,
    Drawn,
    Settled,
    Refunded,
    TimedOut,
    MediationAccepted,
    MediationRejected
}
