"""What theory says of each of the classics, over the declared domain and the uniform prior on its bounds.

Two rules settle most of it: a truthful rule is truthful in expectation, and a rule that one agent can manipulate one
coalition can (the agent itself). "Anonymous" leaves exact ties aside: they go to the lowest index. Where an agent's own
payment strictly moves with its report, the rule is not bossy for want of an occasion.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from mechanism.auctions.agv import agv
from mechanism.auctions.all_pay import all_pay
from mechanism.auctions.clarke_public_good import clarke_public_good
from mechanism.auctions.deferred_acceptance import deferred_acceptance
from mechanism.auctions.discriminatory import discriminatory
from mechanism.auctions.equilibria import ALL_PAY, FIRST_PRICE, LINEAR_PAIR
from mechanism.auctions.first_price import first_price
from mechanism.auctions.greedy_knapsack import greedy_knapsack
from mechanism.auctions.gsp import gsp
from mechanism.auctions.k_double_auction import k_double_auction
from mechanism.auctions.mcafee import mcafee
from mechanism.auctions.mean_vote import mean_vote
from mechanism.auctions.median_vote import median_vote
from mechanism.auctions.moulin_shapley import moulin_shapley
from mechanism.auctions.myerson import myerson
from mechanism.auctions.posted_price_single import posted_price_single
from mechanism.auctions.proportional_share import proportional_share
from mechanism.auctions.second_price import second_price
from mechanism.auctions.second_price_reserve import second_price_reserve
from mechanism.auctions.serial_dictatorship import serial_dictatorship
from mechanism.auctions.uniform_price import uniform_price
from mechanism.auctions.vcg_combinatorial import vcg_combinatorial
from mechanism.auctions.vcg_positions import vcg_positions
from mechanism.entry import CatalogueEntry, truth, truths

_ITEM = "one item; a private value in [0, 1] per agent, uniform and independent"
_CLICKS = "positions with 1, 1/2, 1/4, … clicks, one per agent; a private value of a click in [0, 1]"
_UNITS = "two equal units; agents want up to two, private worths in [0, 1], the larger counts first"
_SIDES = "buyers and sellers of one unit, half each; a private value or cost in [0, 1], the side is public"
_OBJECTS = "as many objects as agents, each gets one; private values in [0, 1], no payments"
_LINE = "a point in [0, 1]; a private peak, utility minus the distance to it, no payments"

AUCTION_ENTRIES: Mapping[str, CatalogueEntry] = MappingProxyType(
    {
        entry.id: entry
        for entry in (
            CatalogueEntry(
                "first-price", "first-price sealed-bid auction", "Vickrey 1961", _ITEM,
                truths(
                    ir="yes", interim_ir="yes", dsic="no (bidding less)", bic="no (bidding less)",
                    budget_balance="no (revenue)", weak_budget_balance="yes", efficiency="yes", monotonicity="yes",
                    cyclic_monotonicity="yes", anonymity="yes", group_dsic="no",
                    non_bossiness="yes",  # a loser never picks the winner, and only the winner moves its price
                ),
                first_price, equilibrium=FIRST_PRICE,
            ),
            CatalogueEntry(
                "second-price", "second-price (Vickrey) auction", "Vickrey 1961", _ITEM,
                truths(
                    ir="yes", interim_ir="yes", dsic="yes", bic="yes", budget_balance="no (revenue)",
                    weak_budget_balance="yes", efficiency="yes", monotonicity="yes", cyclic_monotonicity="yes",
                    anonymity="yes", non_bossiness="no (the second bid sets the price)",
                    group_dsic="no (the second bidder helps the winner)",
                    split_proof="yes",  # one's other name can only raise one's price
                ),
                second_price, equilibrium=truth("Vickrey 1961; Krishna, Auction Theory, 2.2"),
            ),
            CatalogueEntry(
                "second-price-reserve", "second-price auction with reserve 1/2", "Myerson 1981", _ITEM,
                truths(
                    ir="yes", interim_ir="yes", dsic="yes", bic="yes", budget_balance="no (revenue)",
                    weak_budget_balance="yes", efficiency="no (the item may be kept)", monotonicity="yes",
                    cyclic_monotonicity="yes", anonymity="yes", non_bossiness="no", group_dsic="no", split_proof="yes",
                ),
                second_price_reserve,
            ),
            CatalogueEntry(
                "all-pay", "all-pay auction", "Baye, Kovenock, de Vries 1996", _ITEM,
                truths(
                    ir="no (losers pay)", interim_ir="no", dsic="no", bic="no", budget_balance="no (revenue)",
                    weak_budget_balance="yes", efficiency="yes", monotonicity="yes", cyclic_monotonicity="yes",
                    anonymity="yes", non_bossiness="yes", group_dsic="no",
                ),
                all_pay, equilibrium=ALL_PAY,
            ),
            CatalogueEntry(
                "uniform-price", "uniform-price auction at the highest losing bid", "Ausubel, Cramton 2002", _UNITS,
                truths(
                    ir="yes", interim_ir="yes", dsic="no (demand reduction)", bic="no (demand reduction)",
                    budget_balance="no (revenue)", weak_budget_balance="yes", efficiency="yes",
                    cyclic_monotonicity="yes",  # an efficient rule: the pivot payments make it truthful
                    anonymity="yes", non_bossiness="no (a losing bid sets the price)", group_dsic="no",
                ),
                uniform_price,
            ),
            CatalogueEntry(
                "discriminatory", "discriminatory (pay-as-bid) auction", "Vickrey 1961", _UNITS,
                truths(
                    ir="yes", interim_ir="yes", dsic="no (bidding less)", bic="no (bidding less)",
                    budget_balance="no (revenue)", weak_budget_balance="yes", efficiency="yes",
                    cyclic_monotonicity="yes", anonymity="yes", group_dsic="no",
                    non_bossiness="yes",  # with x units won the others get the best units - x bids of their own
                ),
                discriminatory,
            ),
            CatalogueEntry(
                "gsp", "generalised second-price auction of positions", "Edelman, Ostrovsky, Schwarz 2007", _CLICKS,
                truths(
                    ir="yes", interim_ir="yes", dsic="no (bidding less)",
                    # overtaking a bid near one's value earns nothing more and loses the cheap position below
                    bic="no (bidding less)",
                    budget_balance="no (revenue)", weak_budget_balance="yes", efficiency="yes", monotonicity="yes",
                    cyclic_monotonicity="yes", anonymity="yes", non_bossiness="no", group_dsic="no",
                ),
                gsp,
            ),
            CatalogueEntry(
                "vcg-positions", "VCG auction of positions", "Vickrey 1961, Clarke 1971, Groves 1973", _CLICKS,
                truths(
                    ir="yes", interim_ir="yes", dsic="yes", bic="yes", budget_balance="no (revenue)",
                    weak_budget_balance="yes", efficiency="yes", monotonicity="yes", cyclic_monotonicity="yes",
                    anonymity="yes", non_bossiness="no", group_dsic="no",
                ),
                vcg_positions,
            ),
            CatalogueEntry(
                "vcg-combinatorial", "VCG auction of two items and their bundle", "Clarke 1971, Groves 1973",
                "items A and B; private values A, B in [0, 1] and AB in [0, 2], free disposal",
                truths(
                    ir="yes", interim_ir="yes", dsic="yes", bic="yes", budget_balance="no (revenue)",
                    weak_budget_balance="yes", efficiency="yes", cyclic_monotonicity="yes", anonymity="yes",
                    non_bossiness="no", group_dsic="no",
                    split_proof="no (false names against a bundle bid)",  # Yokoo, Sakurai, Matsubara 2004
                ),
                vcg_combinatorial,
            ),
            CatalogueEntry(
                "myerson", "optimal auction for uniform values", "Myerson 1981", _ITEM,
                truths(
                    ir="yes", interim_ir="yes", dsic="yes", bic="yes", budget_balance="no (revenue)",
                    weak_budget_balance="yes", efficiency="no (the item may be kept)", monotonicity="yes",
                    cyclic_monotonicity="yes", anonymity="yes", non_bossiness="no", group_dsic="no", split_proof="yes",
                ),
                myerson,
            ),
            CatalogueEntry(
                "posted-price-single", "take it or leave it at 1/2, in the order of agents", "Hagerty, Rogerson 1987",
                _ITEM,
                truths(
                    ir="yes", interim_ir="yes", dsic="yes", bic="yes", budget_balance="no (revenue)",
                    weak_budget_balance="yes", efficiency="no", monotonicity="yes", cyclic_monotonicity="yes",
                    anonymity="no (the order)", non_bossiness="yes",
                    group_dsic="yes",  # the taker would lose by giving up, those before it by buying
                ),
                posted_price_single,
            ),
            CatalogueEntry(
                "mcafee", "McAfee's double auction", "McAfee 1992", _SIDES,
                truths(
                    ir="yes", ir_buyer="yes", ir_seller="yes", interim_ir="yes", dsic="yes", bic="yes",
                    budget_balance="no (surplus)",  # below two pairs there never is one: hence at least four agents
                    weak_budget_balance="yes", efficiency="no (the last pair may be lost)", monotonicity="yes",
                    cyclic_monotonicity="yes", anonymity="yes (a side goes with its agent)",
                    non_bossiness="no (the first pair that does not trade sets the price)", group_dsic="no",
                ),
                mcafee, agents=4, fewest=4,
            ),
            CatalogueEntry(
                "k-double-auction", "k-double auction, k = 1/2", "Chatterjee, Samuelson 1983", _SIDES,
                truths(
                    ir="yes", ir_buyer="yes", ir_seller="yes", interim_ir="yes", dsic="no", bic="no",
                    budget_balance="yes", weak_budget_balance="yes", efficiency="yes", monotonicity="yes",
                    cyclic_monotonicity="yes", anonymity="yes (a side goes with its agent)", group_dsic="no",
                    # an agent that trades before and after leaves q and the other traders as they are, and whoever
                    # moves the price pays it
                    non_bossiness="yes",
                ),
                k_double_auction, agents=4, equilibrium=LINEAR_PAIR,
            ),
            CatalogueEntry(
                "clarke-public-good", "pivotal mechanism for a public good", "Clarke 1971",
                "a project that costs half a unit per agent, shared equally; a private value in [0, 1] per agent",
                truths(
                    ir="no (who does not want it pays its share)", interim_ir="no", dsic="yes", bic="yes",
                    budget_balance="no (taxes)", weak_budget_balance="yes", efficiency="yes", monotonicity="yes",
                    cyclic_monotonicity="yes", anonymity="yes", non_bossiness="no (a report moves others' taxes)",
                    group_dsic="no (overstating together)",
                ),
                clarke_public_good,
            ),
            CatalogueEntry(
                "agv", "expected-externality mechanism, one item", "Arrow 1979, d'Aspremont, Gérard-Varet 1979", _ITEM,
                truths(
                    ir="no (a loser may pay)",  # with two agents it never does: hence at least three
                    interim_ir="yes", dsic="no", bic="yes", budget_balance="yes", weak_budget_balance="yes",
                    efficiency="yes", monotonicity="yes", cyclic_monotonicity="yes", anonymity="yes",
                    non_bossiness="yes", group_dsic="no",
                ),
                agv, fewest=3,
            ),
            CatalogueEntry(
                "moulin-shapley", "equal shares of a fixed cost", "Moulin 1999, Moulin, Shenker 2001",
                "a service of fixed cost 1, to whom it serves shared equally; a private value in [0, 1] per agent",
                truths(
                    ir="yes", interim_ir="yes", dsic="yes", bic="yes", budget_balance="yes (the cost is covered)",
                    weak_budget_balance="yes", efficiency="no", monotonicity="yes", cyclic_monotonicity="yes",
                    anonymity="yes", group_dsic="yes",  # cross-monotonic shares, the indifferent are served
                    non_bossiness="yes",  # the largest set that accepts does not move while i is in it, or out of it
                ),
                moulin_shapley,
            ),
            CatalogueEntry(
                "greedy-knapsack", "greedy knapsack auction, critical payments",
                "Lehmann, O'Callaghan, Shoham 2002; Mu'alem, Nisan 2008",
                "room 1 in a knapsack; a private value in [0, 1], a public size in [0.1, 1] per agent",
                truths(
                    ir="yes", interim_ir="yes", dsic="yes", bic="yes", budget_balance="no (revenue)",
                    weak_budget_balance="yes", efficiency="no", monotonicity="yes", cyclic_monotonicity="yes",
                    anonymity="yes (a size goes with its agent)", non_bossiness="no", group_dsic="no",
                ),
                greedy_knapsack,
            ),
            CatalogueEntry(
                "proportional-share", "shares in proportion to bids", "Kelly 1997, Johari, Tsitsiklis 2004",
                "one divisible unit; a private linear value in [0, 1] per agent, bid as it is",
                truths(
                    ir="no", interim_ir="no", dsic="no", bic="no", budget_balance="no (revenue)",
                    weak_budget_balance="yes", efficiency="no", monotonicity="yes", cyclic_monotonicity="yes",
                    anonymity="yes", non_bossiness="yes", group_dsic="no",
                ),
                proportional_share,
            ),
            CatalogueEntry(
                "median-vote", "median of the peaks", "Black 1948, Moulin 1980", _LINE,
                truths(  # no ir: there is no staying out of a vote
                    dsic="yes", bic="yes", budget_balance="yes (no payments)", weak_budget_balance="yes",
                    efficiency="yes", monotonicity="yes", cyclic_monotonicity="yes", anonymity="yes",
                    non_bossiness="yes",  # everyone has the same consequence
                    group_dsic="yes",  # only those beyond the median can move it, and only away from themselves
                ),
                median_vote,
            ),
            CatalogueEntry(
                "mean-vote", "mean of the peaks", "Moulin 1980, Renault, Trannoy 2005", _LINE,
                truths(
                    dsic="no (exaggerating)", bic="no (exaggerating)", budget_balance="yes (no payments)",
                    weak_budget_balance="yes",
                    efficiency="no",  # with two agents every point between them is optimal: hence at least three
                    monotonicity="yes",
                    cyclic_monotonicity="yes",  # |x - peak| has increasing differences, the mean rises with a peak
                    anonymity="yes", non_bossiness="yes", group_dsic="no",
                ),
                mean_vote, fewest=3,
            ),
            CatalogueEntry(
                "serial-dictatorship", "agents choose in turn", "Satterthwaite, Sonnenschein 1981", _OBJECTS,
                truths(  # group_dsic: holds for strict values, fails through an indifferent dictator
                    ir="yes", interim_ir="yes", dsic="yes", bic="yes", budget_balance="yes (no payments)",
                    weak_budget_balance="yes", efficiency="no (total value)", cyclic_monotonicity="yes",
                    anonymity="no (the order)", non_bossiness="yes",
                ),
                serial_dictatorship,
            ),
            CatalogueEntry(
                "deferred-acceptance", "deferred acceptance, agents propose to objects with priorities",
                "Gale, Shapley 1962; Dubins, Freedman 1981", _OBJECTS,
                truths(
                    ir="yes", interim_ir="yes", dsic="yes (the proposing side)", bic="yes",
                    budget_balance="yes (no payments)", weak_budget_balance="yes", efficiency="no (total value)",
                    cyclic_monotonicity="yes", anonymity="no (the priorities)",
                    # Ergin 2002: the default priorities hold a cycle from three agents on
                    non_bossiness="no", group_dsic="no",
                ),
                deferred_acceptance, fewest=3,
            ),
        )
    }
)  # fmt: skip
"""The classics by id."""
