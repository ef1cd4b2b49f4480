"""What `lawang sources new` wrote, and what is left for a person to do."""

from __future__ import annotations

from sources_cli.creating import Created
from sources_cli.report import print_findings
from sources_cli.tables import console, print_sample, say


def print_created(created: Created) -> None:
    """Print the check of the new file, where it is, and the next steps."""
    screen = console()
    if created.findings is not None:
        print_findings(created.findings, created.source, created.city)
    print_sample(created.sample)
    say(screen, f"Written: {created.file}", "bold green")
    say(screen, "What is left to do:")
    for note in created.notes:
        say(screen, f"  - {note}", "yellow")
    for name, value in created.variables.items():
        shown = f"export {name}={value}" if value else f"set {name} (a secret), or {name}_FILE"
        say(screen, f"  - {shown}")
    say(screen, f"  - confirm or mend each line with (?) in {created.file}")
    say(screen, f"  - lawang sources check {created.source.id}")
