"""What comes along when webhooklab is installed: under which licences, with which known holes."""
