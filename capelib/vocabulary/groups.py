"""Groups of states that questions speak of, as the codebook lists them."""

from capelib.vocabulary.codebook import codebook, require


def group(name: str) -> tuple[str, ...]:
    """Which states belong to this group?

    Parameters
    ----------
    name
        A group of the codebook (`[groups]`), such as "former_soviet" or "baltic".

    Returns
    -------
    tuple of str
        Codes of states (ISO 3166-1 alpha-3), in the codebook's order.

    Raises
    ------
    ParameterError
        For another name, naming the nearest group.

    Examples
    --------
    >>> group("baltic")
    ('EST', 'LTU', 'LVA')
    """
    groups = codebook()["groups"]
    require("group of states", name, groups)
    return tuple(groups[name]["states"])
