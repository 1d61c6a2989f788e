"""Who approved which rules: a signed ledger, the keys it is checked with, and the sets in force.

A set of rewriting rules changes programs only if a person has approved its exact bytes.  The
approval is an entry of a *ledger* (`ledger`), signed with a private key (`signing`).  The ledger
and the approved files lie in a *rule store* (`rule_store`).  Which keys count, and how far the
ledger has come, is in a *trust file* outside of it (`trust`), so that whoever can write to the
store, and no more, can change nothing unnoticed.  `approved` finds sets for a compilation, and
`decisions` makes entries, after a look at what the rules did in `shadow` mode.
"""
