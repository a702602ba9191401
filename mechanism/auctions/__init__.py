"""The classics of mechanism design, one file each, named as the textbook names it.

A file holds the rule (a function from a number of agents to a direct mechanism) and its ``ENTRY``: what theory says of
it over the declared domain and the uniform prior on its bounds, and the equilibrium that is known. Two rules settle
most truths: a truthful rule is truthful in expectation, and a rule that one agent can manipulate one coalition can (the
agent itself). "Anonymous" leaves exact ties aside: they go to the lowest index. Where an agent's own payment strictly
moves with its report, the rule is not bossy for want of an occasion. `mechanism.catalogue` collects the entries.

>>> from mechanism.auctions.one_item.second_price import second_price
>>> second_price(3)([[0.2, 0.9, 0.7]])
(array([[0., 1., 0.]]), array([[0. , 0.7, 0. ]]))
"""
