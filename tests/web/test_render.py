"""Pages extend one base, carry their style with them and escape every value."""

import re

import pytest
from jinja2 import TemplateNotFound, UndefinedError

from movielens_recsys.web.render import render_page


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package with a template of its own."""
    (tmp_path / "some_pages").mkdir()
    (tmp_path / "some_pages" / "__init__.py").touch()
    (tmp_path / "some_pages" / "greeting.html.j2").write_text(
        '{% extends "base.html.j2" %}{% block title %}{{ name }}{% endblock %}'
        "{% block content %}<p>Hello {{ name }}</p>{% endblock %}"
    )
    monkeypatch.syspath_prepend(tmp_path)
    return "some_pages"


def test_a_page_fills_the_base(package):
    html = render_page(package, "greeting.html.j2", name="Ada")
    assert html.startswith("<!DOCTYPE html>")
    assert "<title>Ada</title>" in html
    assert re.search(r"<main>\s*<p>Hello Ada</p>\s*</main>", html)


def test_the_style_is_inside_the_page_and_nothing_is_fetched(package):
    html = render_page(package, "greeting.html.j2", name="Ada")
    style = re.search(r"<style>(.*)</style>", html, re.S)
    assert ".panel" in style.group(1)
    assert "@media print" in style.group(1)
    assert "default-src 'none'" in html
    assert not re.search(r"https?:|url\(|@import|<link|<script", html)


def test_values_are_escaped(package):
    html = render_page(package, "greeting.html.j2", name="<script>alert('x')</script>")
    assert "<script>" not in html


def test_a_missing_value_or_template_is_an_error(package):
    with pytest.raises(UndefinedError, match="'name' is undefined"):
        render_page(package, "greeting.html.j2")
    with pytest.raises(TemplateNotFound, match=r"other\.html\.j2"):
        render_page(package, "other.html.j2")
