"""What tests share: small packs, the command as a subprocess, servers on loopback. No assertion stands here."""
