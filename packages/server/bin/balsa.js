#!/usr/bin/env node
// The command as npm links it: a file that is there before anything has been built.
import "../dist/cli/main.js";
