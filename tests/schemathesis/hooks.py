"""What Schemathesis does before each request."""

import schemathesis


@schemathesis.hook
def before_call(context, case, kwargs):
    """Without one of its parts a path is another one: `/records/posts/` is the list of `posts`, and no record of it."""
    for name, value in (case.path_parameters or {}).items():
        if value == "":
            case.path_parameters[name] = "none"
