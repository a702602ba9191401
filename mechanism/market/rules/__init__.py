"""The market mechanisms, a file each: the rule, and its ``ENTRY`` with what theory says of it.

Two conditions recur. "sizes as reported": a buyer that chose on an overstated size may regret buying, whatever the
rule, so that promises to buyers "whatever the others report" are promises given the sizes (verified, or truthful).
"at truth": when everybody tells the truth. Identities (split, merge) are judged by the seller's part.

Ties. `threshold` orders equal thresholds by the client order. `exact` visits sellers by rising price per sample, then
larger size, then client order, include first, and changes its mind only for a set that is better by more than
`TIE`: what adds nothing is not bought, and of equal sets the first met stays.
"""
