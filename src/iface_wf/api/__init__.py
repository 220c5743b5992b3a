"""What `iface_wf` shows, one module for each thing that people do; the command line stands on the same functions."""
