"""`qwasmc rules`: which rewriting rules may be used, and who answers for them."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from qwasmc.commands.common import (
    Decorator,
    json_option,
    level_option,
    make_options,
    output_option,
    reading_options,
    store_option,
    table,
    target_option,
    together,
    trust_option,
    watching,
)
from qwasmc.commands.console import console
from qwasmc.diagnostics import Kind, error
from qwasmc.output import Outputs
from qwasmc.pipeline import load

if TYPE_CHECKING:
    from qwasmc.approval.decisions import Decision
    from qwasmc.approval.ledger import Entry
    from qwasmc.approval.rule_store import RuleStore
    from qwasmc.rules.rule import RuleSet

PASSWORD = "QWASMC_KEY_PASSWORD"
"""The environment variable with the password of private keys."""

SHOWN = 12
"""How many digits of a hash are shown to people."""

HEADERS = ("set", "version", "state", "when", "who", "why")
LAYOUT = "{:<16} {:<12} {:<10} {:<20}  {}\n    {}"


@click.group()
def rules() -> None:
    """Sets of rewriting rules: look at them, check them, approve and revoke them.

    A compilation uses a set only if somebody whose key you trust has approved its exact bytes.

    \b
    Example:
      qwasmc rules list
      qwasmc rules verify default
    """


stores = together(store_option, trust_option)
"""Where approvals are."""


def deciding(command: Any) -> Any:
    """The options of a command that adds an entry to the ledger."""
    options: tuple[Decorator, ...] = (
        click.option("--key", metavar="KEYFILE", required=True, help="Sign with this private key."),
        click.option("--who", metavar="NAME", required=True, help="Who decides."),
        click.option("--why", metavar="REASON", required=True, help="Why, in a line."),
        click.option("--when", metavar="TIME", help="The time in UTC; by default it is now."),
        stores,
    )
    return together(*options)(command)


# -- looking


@rules.command("list")
@json_option
@stores
def list_command(as_json: bool, rule_store: str | None, trust: str | None) -> None:
    """All versions that were ever approved, the last word about each, by whom and why.

    A name stands for the version that is "in force"; files of others that are "approved" can be
    used, too; "revoked" ones cannot.

    \b
    Example:
      qwasmc rules list
      qwasmc rules list --json
    """
    opened: Sequence[RuleStore] = load("qwasmc.approval.approved:open_stores")(rule_store, trust)
    found = list(described(opened))
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    rows = [[*(row[name] for name in HEADERS)] for row in found]
    for row in rows:
        row[1] = row[1][:SHOWN]
    table(rows, HEADERS, LAYOUT)


def described(opened: Sequence[RuleStore]) -> Iterator[dict[str, Any]]:
    """Every version as JSON-ready data, with the last word about it, in order of approval."""
    for store in opened:
        last = {entry.sha256: entry for entry in store.ledger.entries}
        for version, approval in store.ledger.approved.items():
            word = load("qwasmc.approval.approved:revocation")(version, opened) or last[version]
            said = {name: getattr(word, name) for name in ("when", "who", "why", "key")}
            found = {"set": approval.set, "version": version, "state": state(version, opened)}
            yield {**found, **said, "shadow": approval.shadow, "store": str(store.folder)}


def state(version: str, opened: Sequence[RuleStore]) -> str:
    """What became of the file of rules with a hash."""
    if load("qwasmc.approval.approved:revocation")(version, opened):
        return "revoked"
    if any(version in store.ledger.in_force.values() for store in opened):
        return "in force"
    known = any(version in store.ledger.approved for store in opened)
    return "approved" if known else "not approved"


@rules.command()
@click.argument("name", metavar="SET|FILE")
@click.argument("rule", required=False)
@stores
def show(name: str, rule: str | None, rule_store: str | None, trust: str | None) -> None:
    """Print the rules of a set, or one of them.

    \b
    Example:
      qwasmc rules show default
    """
    found = any_set(name, rule_store, trust)
    if rule is None:
        click.echo(found.text.decode("ascii"), nl=False)
        return
    for each in found.rules:
        if each.name == rule:
            click.echo(f"{each.name}: {load('qwasmc.rules.notation:write_rule')(each)}")
            return
    raise error(f"'{name}' has no rule '{rule}'", kind=Kind.USAGE)


@rules.command()
@click.argument("name", metavar="SET|FILE")
@json_option
@stores
def verify(name: str, as_json: bool, rule_store: str | None, trust: str | None) -> None:
    """Check the proof of every rule, the ledger, and the signatures.

    A file need not be approved; this says whether it is.

    \b
    Example:
      qwasmc rules verify proposal.rules
    """
    found = any_set(name, rule_store, trust)
    begin = time.perf_counter()
    with watching() as watch:
        load("qwasmc.backends.proving:check_set")(found, watch.stage)
    seconds = time.perf_counter() - begin
    now = state(found.sha256, load("qwasmc.approval.approved:open_stores")(rule_store, trust))
    if as_json:
        facts = {"set": found.name, "sha256": found.sha256, "rules": len(found.rules)}
        click.echo(json.dumps({**facts, "state": now, "seconds": round(seconds, 3)}))
        return
    click.echo(f"{found.name} {found.sha256[:SHOWN]}: {len(found.rules)} rules are proved")
    click.echo(f"its state is: {now}; this took {seconds:.1f} s")


def any_set(name: str, rule_store: str | None, trust: str | None) -> RuleSet:
    """An approved set by its name, or any file of rules."""
    found: RuleSet
    if load("qwasmc.approval.approved:is_path")(name):
        data = load("qwasmc.approval.approved:read_file")(name)
        found = load("qwasmc.rules.notation:read_rules")(data, name)
    else:
        (found,) = load("qwasmc.approval.approved:find_sets")([name], rule_store, trust)
    return found


@rules.command()
@click.argument("name", metavar="SET|FILE")
@click.argument("programs", metavar="PROGRAM|DIR...", nargs=-1, required=True)
@output_option
@target_option
@reading_options
@level_option
@stores
def shadow(name: str, programs: Sequence[str], output: str, **given: Any) -> None:
    """Report what rules would do to programs; nothing is approved or changed.

    `rules approve` asks for such a report.

    \b
    Example:
      qwasmc rules shadow proposal.rules examples -o report.json
    """
    found = any_set(name, given["rule_store"], given["trust"])
    options = make_options(emit="circuit", **given)
    with Outputs() as outputs, watching() as watch:
        out = outputs.open(output)
        load("qwasmc.backends.proving:check_set")(found, watch.stage)
        sources = load("qwasmc.learning:programs")(programs, watch)
        report = load("qwasmc.shadow:shadow")(sources, found, options, watch)
        out.write(report.text)
    total, better, worse = len(report.programs), report.gains, report.losses
    console().say(f"{total} programs: {better} got better and {worse} worse")


# -- deciding


@rules.command()
@click.argument("keyfile", type=click.Path())
@click.option(
    "--password", "encrypted", is_flag=True, help=f"Ask for a password, or take ${PASSWORD}."
)
def key(keyfile: str, encrypted: bool) -> None:
    """Make a private key to sign with, and print the public key that belongs to it.

    \b
    Example:
      qwasmc rules key ~/approvals.pem --password
    """
    password = ask_password(keyfile, confirm=True) if encrypted else ""
    click.echo(load("qwasmc.approval.signing:make_key")(keyfile, password))


@rules.command()
@click.option(
    "--key",
    "keys",
    nargs=2,
    multiple=True,
    metavar="PUBLIC NAME",
    help="Trust a public key, which is NAME's.",
)
@click.option("--retire", multiple=True, metavar="PUBLIC", help="No new entries with this key.")
@stores
def trust(
    keys: Sequence[tuple[str, str]],
    retire: Sequence[str],
    rule_store: str | None,
    trust: str | None,
) -> None:
    """Trust keys, and the ledger of the rule store as far as it has come.

    A ledger that loses an entry which the trust file knows is refused from then on.

    \b
    Example:
      qwasmc rules trust --key d75a9801... "Ada Lovelace" --rule-store team/rules
    """
    store = needed(rule_store)
    found = load("qwasmc.approval.decisions:update_trust")(store, trust, keys, retire)
    click.echo(f"{found.file}: {len(found.keys)} keys, entry {found.head.n} {found.head.hash}")


@rules.command()
@click.argument("file")
@click.option("--shadow", "report", metavar="REPORT", required=True, help="From `rules shadow`.")
@click.option("--despite-losses", is_flag=True, help="Approve though some programs got worse.")
@deciding
def approve(file: str, report: str, despite_losses: bool, **given: Any) -> None:
    """Approve the rules in FILE, whose proofs must hold, and put them in force.

    \b
    Example:
      qwasmc rules approve proposal.rules --shadow report.json --rule-store team/rules \\
        --key ~/approvals.pem --who "Ada Lovelace" --why "fewer CX on our adders"
    """
    decide = load("qwasmc.approval.decisions:approve")
    tell(decide(decision(**given), file, report, despite_losses))


@rules.command()
@click.argument("name", metavar="SET")
@click.option("--version", default="", metavar="HASH", help="By default the one in force.")
@deciding
def revoke(name: str, version: str, **given: Any) -> None:
    """Let no compilation use a version of a set any more.

    \b
    Example:
      qwasmc rules revoke default --rule-store team/rules --key ~/approvals.pem \\
        --who "Ada Lovelace" --why "we want the old depth"
    """
    tell(load("qwasmc.approval.decisions:revoke")(decision(**given), name, version))


@rules.command()
@click.argument("name", metavar="SET")
@click.option("--to", "version", metavar="HASH", required=True, help="Its first digits will do.")
@deciding
def rollback(name: str, version: str, **given: Any) -> None:
    """Put a version of a set in force again that was approved earlier and is not revoked.

    \b
    Example:
      qwasmc rules rollback default --to 5f3a01 --rule-store team/rules --key ~/approvals.pem \\
        --who "Ada Lovelace" --why "the new ones are slow"
    """
    tell(load("qwasmc.approval.decisions:rollback")(decision(**given), name, version))


def decision(
    rule_store: str | None,
    trust: str | None,
    key: str,
    who: str,
    when: str | None,
    why: str,
) -> Decision:
    """What a person decides, from the options."""
    store = needed(rule_store)
    private = load("qwasmc.approval.signing:load_key")(key, lambda: ask_password(key))
    when = when or load("qwasmc.approval.ledger:now")()
    found: Decision = load("qwasmc.approval.decisions:Decision")(
        store, trust, private, who, when, why
    )
    return found


def needed(rule_store: str | None) -> str:
    """The user's rule store; a usage error if there is none."""
    if not rule_store:
        raise click.UsageError("which rule store? --rule-store DIR, or $QWASMC_RULE_STORE")
    return rule_store


def ask_password(keyfile: str, confirm: bool = False) -> str:
    """The password of a key, from the environment or from the person at the terminal."""
    if password := os.environ.get(PASSWORD):
        return password
    if not sys.stdin.isatty():
        raise error(f"'{keyfile}' needs a password", kind=Kind.USAGE, help=f"set ${PASSWORD}")
    words = f"Password of {Path(keyfile).name}"
    try:
        return str(click.prompt(words, hide_input=True, confirmation_prompt=confirm, err=True))
    except click.Abort as interrupted:
        raise KeyboardInterrupt from interrupted


def tell(entry: Entry) -> None:
    """Say what was decided."""
    version = entry.sha256[:SHOWN]
    console().say(f"entry {entry.n}: {entry.action} {entry.set} {version} by {entry.who}")
