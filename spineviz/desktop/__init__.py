"""The interactive window: one front end over the viewer and the stage."""

from spineviz.desktop.window import NoDisplay, show

__all__ = ["NoDisplay", "show"]
