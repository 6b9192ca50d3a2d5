"""The suites: all groups of clauses that an engine of a kind has to pass. See the package for how to join in."""

from statewatch.conformance import (
    acting,
    addresses,
    checkpoints,
    closing,
    crashes,
    editing,
    faults,
    keys,
    locking,
    processes,
    swapping,
    threads,
    transactions,
    values,
    waiting,
)


class StoreConformance(
    keys.KeyClauses,
    keys.NamespaceClauses,
    values.ValueClauses,
    values.PrivacyClauses,
    transactions.TransactionClauses,
    transactions.NothingClauses,
    transactions.UpdateClauses,
    swapping.DigestClauses,
    swapping.SwapClauses,
    waiting.WaitClauses,
    waiting.WatchClauses,
    checkpoints.CheckpointClauses,
    checkpoints.CheckpointNameClauses,
    editing.CheckpointEditClauses,
    closing.ReadingClauses,
    closing.ClosingClauses,
    threads.ThreadClauses,
    locking.MeetingClauses,
    acting.ActionClauses,
):
    """Every store, also one that only this process can see."""


class SharedConformance(
    StoreConformance,
    processes.UpdateByProcessClauses,
    processes.SeenByProcessClauses,
    crashes.CrashClauses,
):
    """A store that other processes see, and that outlives them."""


class LockingConformance(SharedConformance, locking.LockingClauses, locking.LockingByProcessClauses):
    """A shared store whose writers wait for each other."""


class OptimisticConformance(SharedConformance, locking.OptimisticClauses):
    """A shared store whose writers run again when another was faster."""


class AddressConformance(addresses.AddressClauses, addresses.NamespaceNameClauses):
    """Besides one of the above: a store that has a URL which `open_store` understands."""


class ServerConformance(faults.OutageClauses, faults.LostConnectionClauses):
    """Besides one of the above, with a `place` that is a `ServerPlace`: a store whose server may be away."""
