"""Internal balancers as the lab has them: a proxy of connections that asks its servers whether they can serve."""
