/row / { sub(/.*row /, ""); print; fflush() }
/^@@ fail|^    / && !/row/ { print; fflush() }
