"""``python -m iface_wf``: the command line."""

from iface_wf.cli.main import main

raise SystemExit(main())
