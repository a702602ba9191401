"""The classics of mechanism design, one file each, named as the textbook names it.

Every function returns a direct mechanism for a number of agents; `AUCTION_ENTRIES` says what theory knows of each.

>>> from mechanism.auctions import second_price
>>> second_price(3)([[0.2, 0.9, 0.7]])
(array([[0., 1., 0.]]), array([[0. , 0.7, 0. ]]))
"""

from mechanism.auctions.agv import agv
from mechanism.auctions.all_pay import all_pay
from mechanism.auctions.clarke_public_good import clarke_public_good
from mechanism.auctions.deferred_acceptance import deferred_acceptance
from mechanism.auctions.discriminatory import discriminatory
from mechanism.auctions.entries import AUCTION_ENTRIES
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

__all__ = [
    "AUCTION_ENTRIES",
    "agv",
    "all_pay",
    "clarke_public_good",
    "deferred_acceptance",
    "discriminatory",
    "first_price",
    "greedy_knapsack",
    "gsp",
    "k_double_auction",
    "mcafee",
    "mean_vote",
    "median_vote",
    "moulin_shapley",
    "myerson",
    "posted_price_single",
    "proportional_share",
    "second_price",
    "second_price_reserve",
    "serial_dictatorship",
    "uniform_price",
    "vcg_combinatorial",
    "vcg_positions",
]
