"""The old place of posted prices, for rules' files that import it: now `mechanism.market.rules.posted_price`."""

from mechanism.market.rules.posted_price import PostedPrice, PriceRule

__all__ = ["PostedPrice", "PriceRule"]
