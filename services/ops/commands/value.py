"""`c360 value ...`: tiers and the policy that sets them, the book of business.

Owns the lines people read. A policy changes nothing without --execute.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from services.ops.commands.failures import UsageMistake
from services.ops.commands.here import ask_json, here
from services.ops.commands.output import AsJson, console, count, print_json, readable, say
from services.ops.commands.policies import By, Execute, File, Reason, as_yaml, policy_commands, read_document

FIT_S = 600.0

value = typer.Typer(help="What customers are worth.", rich_markup_mode=None)
value.add_typer(
    policy_commands(
        "value",
        "The policy: grades, what they are for, margin rates.",
        "all customers are graded anew in the background",
    ),
    name="policy",
)


@value.command("tiers")
def tiers(as_json: AsJson = False) -> None:
    """How many customers are in each grade, and what they brought."""
    answer = ask_json("GET", f"{here().internal['value']}/tiers")
    if as_json:
        print_json(answer)
        return
    table = Table("grade", "from", "customers", "orders", "revenue", "what for", box=None)
    for grade in answer["grades"]:
        table.add_row(
            grade["grade"],
            grade["clv_from"] or grade["revenue_from"] or "",
            count(grade["customers"]),
            count(grade["orders"]),
            f"{grade['revenue']} {answer['currency']}",
            readable(grade["purpose"]),
        )
    console().print(table)
    version = answer["model_version"]
    say(f"by {f'what is to come, model version {version}' if version else 'revenue so far'}")
    say(f"policy number {answer['policy_number']}")


@value.command("totals")
def totals(
    since: Annotated[str | None, typer.Option("--from", metavar="DATE", help="First business day.")] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="DATE", help="First day that does not count.")] = None,
    as_json: AsJson = False,
) -> None:
    """What all customers brought, by currency."""
    query = {k: v for k, v in (("from", since), ("to", until)) if v}
    answer = ask_json("GET", f"{here().internal['value']}/book", params=query)
    if as_json:
        print_json(answer)
        return
    table = Table("currency", "revenue", "refunds", "margin", "cost to serve", "orders", box=None)
    for one in answer["totals"]:
        margin = f"{one['margin']}{' (estimated)' if one['margin_estimated'] else ''}"
        table.add_row(
            one["currency"], one["revenue"], one["refunds"], margin, one["cost_to_serve"], count(one["orders"])
        )
    console().print(table)


@value.command("pareto")
def pareto(as_json: AsJson = False) -> None:
    """Which customers bring most of the revenue."""
    answer = ask_json("GET", f"{here().internal['value']}/pareto")
    if as_json:
        print_json(answer)
        return
    top, most = answer["top"], answer["four_fifths"]
    say(f"{count(answer['customers'])} customers brought {answer['revenue']} {answer['currency']}")
    say(f"the best {_per_cent(top['share_of_customers'])} bring {_per_cent(top['share_of_revenue'])}")
    say(f"four fifths come from {count(most['customers'])} of them, {_per_cent(most['share_of_customers'])}")
    table = Table("customers", "revenue", box=None)
    for point in answer["curve"]:
        table.add_row(_per_cent(point["share_of_customers"]), _per_cent(point["share_of_revenue"]))
    console().print(table)


@value.command("churn")
def churn(
    since: Annotated[str, typer.Option("--from", metavar="DATE", help="First business day.")],
    until: Annotated[str, typer.Option("--to", metavar="DATE", help="First day that does not count.")],
    as_json: AsJson = False,
) -> None:
    """Who left, and why."""
    answer = ask_json("GET", f"{here().internal['value']}/churn", params={"from": since, "to": until})
    if as_json:
        print_json(answer)
        return
    table = Table("cause", "customers", "revenue of the year before", box=None)
    for one in answer["by_cause"]:
        table.add_row(one["cause"] or "unknown", count(one["customers"]), f"{one['revenue']} {answer['currency']}")
    console().print(table)
    say(f"{count(answer['customers'])} left; why is known of {_per_cent(answer['explained'])}")


@value.command("fit")
def fit(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the proposed policy is written.")],
    as_json: AsJson = False,
) -> None:
    """Fit models of what customers will do, choose by a rolled holdout, and write the policy that has the best."""
    answer = ask_json("GET", f"{here().internal['value']}/policy/fitted", timeout_s=FIT_S)
    out.write_text(as_yaml(answer["document"]))
    if as_json:
        print_json({name: part for name, part in answer.items() if name != "document"})
        return
    table = Table("family", "total error", "rmse", "caught of the best fifth", "refused", box=None)
    for one in answer["candidates"]:
        table.add_row(one["family"], f"{one['total_error']:+.1%}", f"{one['rmse']:.3f}", f"{one['caught']:.1%}",
                      "; ".join(one["refused"]) or "-")  # fmt: skip
    console().print(table)
    say(f"champion: {answer['champion']}; written to {out}")
    for why in answer["refused"]:
        say(f"  speaks against it: {why}")
    say(f"see `value promote {out}`")


@value.command("groups")
def groups(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the proposed policy is written.")],
    as_json: AsJson = False,
) -> None:
    """Learn needs groups of what customers buy and state; write the policy that has them. Labels may be changed."""
    document = ask_json("GET", f"{here().internal['value']}/policy/grouped", timeout_s=FIT_S)["document"]
    out.write_text(as_yaml(document))
    found = document["needs"]["groups"]
    if as_json:
        print_json({"version": document["needs"]["version"], "groups": found})
        return
    for one in found:
        say(f"{readable(one['label'])}: {readable(', '.join(list(one['weights'])[:5]))}")
        for part in one.get("parts", {}).get("groups", ()):
            say(f"  of these, {readable(part['label'])}")
    say(f"written to {out}; see `value policy apply {out}`")


@value.command("promote")
def promote(
    file: File,
    reason: Reason,
    by: By = "operator",
    anyway: Annotated[bool, typer.Option("--anyway", help="In spite of what speaks against it.")] = False,
    execute: Execute = False,
    as_json: AsJson = False,
) -> None:
    """Put a fitted model in force; refused where its guard rails were, unless --anyway."""
    document = read_document(file)
    prediction = document.get("prediction")
    if not isinstance(prediction, dict):
        raise UsageMistake(f"{file} has no prediction; `value fit` writes one")
    against = (prediction.get("fitted") or {}).get("refused") or []
    if against and not anyway:
        raise UsageMistake(f"{'; '.join(map(str, against))}: say --anyway to promote it all the same")
    body = {"document": document, "by": by, "reason": reason}
    answer = ask_json("PUT", f"{here().internal['value']}/policy", json=body,
                      params={"execute": str(execute).lower()})  # fmt: skip
    if as_json:
        print_json(answer)
    elif execute:
        say(f"model version {prediction['version']} is in force; everybody is scored anew in the background")
    else:
        say(f"model version {prediction['version']} can be read; nothing was changed: say --execute")


@value.command("models")
def models(as_json: AsJson = False) -> None:
    """The model in force: its family, numbers, what it was fitted on."""
    answer = ask_json("GET", f"{here().internal['value']}/policy")
    prediction = answer["document"].get("prediction")
    if as_json:
        print_json({"prediction": prediction, "by": answer["by"], "reason": answer["reason"]})
        return
    if prediction is None:
        say("no model was promoted yet: `value fit`, then `value promote`")
        return
    say(as_yaml(prediction).rstrip())
    say(f"promoted by {answer['by']}: {answer['reason']}")


@value.command("refits")
def refits(
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Where the newest refused one goes.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What the newest nightly refits came to, the last one first."""
    found = ask_json("GET", f"{here().internal['value']}/policy/refits")["refits"]
    refused = next((one for one in found if one["document"] is not None), None)
    if out is not None and refused is None:
        raise UsageMistake("none of the newest refits was refused")
    if out is not None and refused is not None:
        out.write_text(as_yaml(refused["document"]))
    if as_json:
        print_json({"refits": [{name: part for name, part in one.items() if name != "document"} for one in found]})
        return
    if not found:
        say("no refit was due yet: the first model is put in force by `value promote`")
        return
    table = Table("day", "outcome", "model version", "speaks against it", box=None)
    for one in found:
        against = "; ".join(one["refused"]) or "-"
        table.add_row(one["day"], readable(one["outcome"]), str(one["version"] or ""), against)
    console().print(table)
    if out is not None and refused is not None:
        say(f"the model of {refused['day']} is in {out}; see `value promote {out} --anyway`")


def _per_cent(share: str) -> str:
    return f"{100 * float(share):.1f} %"
