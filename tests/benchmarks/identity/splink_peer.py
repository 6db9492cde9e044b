"""Splink over one labelled set, as its manual shows it: blocking, u by sampling, EM, term frequencies, scored pairs.

Owns Splink's settings. Runs in the environment of deploy/setup/peers.sh, sees no truth, and is started by peers.py as
`python -m tests.benchmarks.identity.splink_peer SET FIELDS RECORDS.csv PAIRS.csv`. FIELDS: "all", or "own" for those
that kin do not share, which fits households better: Splink takes fields to be independent, and kin share many.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

SEED = 1
U_PAIRS = 3e6
WEIGHT_LEAST = -5.0
"""Pairs below are no use at any threshold tried."""


Settings = tuple[list[Any], list[Any], list[Any], list[Any]]
"""Comparisons, blocking rules, rules of the EM sessions, rules that are as good as certain."""


def _household(fields: str) -> Settings:
    import splink.comparison_library as cl  # type: ignore[import-not-found]
    from splink import block_on

    comparisons = [
        cl.NameComparison("given_name"),
        cl.DateOfBirthComparison("birth_date", input_is_string=True),
        cl.EmailComparison("email"),
        cl.ExactMatch("phone").configure(term_frequency_adjustments=True),
        cl.ExactMatch("gender"),
    ]
    if fields == "all":
        comparisons += [
            cl.NameComparison("surname"),
            cl.JaroWinklerAtThresholds("street", [0.92, 0.8]).configure(term_frequency_adjustments=True),
        ]
    blocking = [
        block_on("email"),
        block_on("phone"),
        block_on("birth_date", "substr(given_name, 1, 1)"),
        block_on("surname", "birth_date"),
        block_on("postal_code", "surname"),
        block_on("postal_code", "given_name"),
        block_on("given_name", "surname"),
        block_on("street"),
        block_on("split_part(email, '@', 1)"),
    ]
    em = [
        block_on("birth_date", "given_name"),
        block_on("email", "given_name"),
        block_on("birth_date", "email"),
        block_on("birth_date", "phone"),
    ]
    certain = [
        block_on("given_name", "surname", "birth_date"),
        block_on("given_name", "email"),
        block_on("given_name", "surname", "phone"),
    ]
    return comparisons, blocking, em, certain


def _febrl(fields: str) -> Settings:
    import splink.comparison_library as cl
    from splink import block_on

    comparisons = [
        cl.NameComparison("given_name"),
        cl.DamerauLevenshteinAtThresholds("birth_date", [1, 2]),
        cl.DamerauLevenshteinAtThresholds("national_id", [1, 2]),
    ]
    if fields == "all":
        comparisons += [
            cl.NameComparison("surname"),
            cl.JaroWinklerAtThresholds("street", [0.92, 0.8]).configure(term_frequency_adjustments=True),
            cl.JaroWinklerAtThresholds("city", [0.9]).configure(term_frequency_adjustments=True),
            cl.ExactMatch("postal_code").configure(term_frequency_adjustments=True),
        ]
    blocking = [
        block_on("national_id"),
        block_on("birth_date"),
        block_on("given_name", "surname"),
        block_on("given_name", "postal_code"),
        block_on("surname", "postal_code"),
        block_on("given_name", "city"),
        block_on("surname", "city"),
        block_on("street"),
    ]
    em = [block_on("birth_date"), block_on("given_name", "surname"), block_on("postal_code")]
    certain = [block_on("national_id"), block_on("given_name", "surname", "birth_date")]
    return comparisons, blocking, em, certain


def main(which: str, fields: str, records: str, pairs: str) -> None:
    """Write every scored pair: unique_id_l, unique_id_r, match_weight."""
    import duckdb  # type: ignore[import-not-found]
    from splink import DuckDBAPI, Linker, SettingsCreator

    logging.getLogger("splink").setLevel(logging.ERROR)
    comparisons, blocking, em, certain = (_household if which == "household" else _febrl)(fields)
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    connection.execute(f"CREATE TABLE records AS SELECT * FROM read_csv('{records}', all_varchar=true, nullstr='')")
    api = DuckDBAPI(connection)
    two = which == "febrl4"
    wheres = [f"WHERE source = '{source}'" for source in ("febrl4a", "febrl4b")] if two else [""]
    queries = [f"SELECT * FROM records {where} ORDER BY unique_id" for where in wheres]
    tables = [connection.sql(query).to_arrow_table() for query in queries]
    settings = SettingsCreator(
        link_type="link_only" if two else "dedupe_only",
        comparisons=comparisons,
        blocking_rules_to_generate_predictions=blocking,
    )
    linker = Linker([api.register(table) for table in tables], settings)
    linker.training.estimate_probability_two_random_records_match(certain, recall=0.7)
    linker.training.estimate_u_using_random_sampling(max_pairs=U_PAIRS, seed=SEED, min_count_per_level=None)
    for rule in em:
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    scored = linker.inference.predict(threshold_match_weight=WEIGHT_LEAST)
    connection.execute(
        f"COPY (SELECT unique_id_l, unique_id_r, match_weight FROM {scored.physical_name}) TO '{pairs}' (HEADER)"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
