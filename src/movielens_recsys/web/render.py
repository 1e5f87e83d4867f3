"""HTML pages from templates that extend `base.html.j2`: one file each, with the style inside it."""

from __future__ import annotations

from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined


def render_page(package: str, template: str, **values: Any) -> str:
    """Return a page as HTML, with every value escaped that is not `Markup`.

    Parameters
    ----------
    package
        The package that ``template`` lies in, such as ``movielens_recsys.reports``. A template of that name
        there hides one of this package.
    template
        File name of a Jinja template that extends ``base.html.j2`` and fills its blocks ``title`` and
        ``content``.
    values
        Names that the template uses.

    Raises
    ------
    jinja2.UndefinedError
        The template uses a name that ``values`` does not have.
    """
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package, ""), PackageLoader("movielens_recsys.web", "")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(values)
