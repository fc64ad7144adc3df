"""An oracle: fresh cases of address translation, answered by the MMU of QEMU. README.md says how it is used."""
