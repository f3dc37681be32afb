import type { ErrorCatalogue } from '@bifrost/sdk';

/** Every error code that the plugin host makes. They stand in the log and in a plugin's status; no client sees them. */
export const frameworkErrorCodes = {
  BF_CREDENTIAL_SHORT: {
    status: 'none',
    cause: '`BIFROST_ADMIN_TOKEN` or `BIFROST_INFERENCE_KEY` is too short to be safe; the program does not start.',
    remedy: 'Give at least 16 characters, or leave the variable out to have one made.',
  },
  BF_CREDENTIAL_UNREADABLE: {
    status: 'none',
    cause:
      'The file that keeps the hash of the admin token or the inference key holds none; the program does not start without a credential.',
    remedy: 'Delete the file that the message names: the next start makes a new one and shows it.',
  },
  BF_PLUGIN_API_VERSION: {
    status: 'none',
    cause: 'The plugin was written for another version of the plugin API.',
    remedy: 'Use a version of the plugin for the API that the message names.',
  },
  BF_PLUGIN_ARCHIVE_INVALID: {
    status: 'none',
    cause: "The plugin's archive has links, paths that lead out of it, or is damaged or too large.",
    remedy: "Pack the plugin's folder with `npm pack` or `tar -czf`.",
  },
  BF_PLUGIN_ARTEFACT_TOO_LARGE: {
    status: 'none',
    cause: "The plugin's file is larger than any plugin, or than a download may be.",
    remedy: 'Check that `path` names the right file.',
  },
  BF_PLUGIN_ARTEFACT_UNSUPPORTED: {
    status: 'none',
    cause: "The plugin's `path` is a kind of file that this version cannot load.",
    remedy: 'Give a `.ts`, `.mts`, `.js` or `.mjs` file, a folder with one, or an npm package.',
  },
  BF_PLUGIN_CAPABILITY_MISSING: {
    status: 'none',
    cause: "The plugin's manifest asks for files, hosts or other capabilities that its entry does not grant.",
    remedy: 'If you agree, write the `capabilities` that the message has into the entry.',
  },
  BF_PLUGIN_CLEANUP_FAILED: {
    status: 'none',
    cause: "The plugin's `cleanup` threw.",
    remedy: 'Repair it; the plugin is gone all the same.',
  },
  BF_PLUGIN_CLEANUP_TIMEOUT: {
    status: 'none',
    cause: "The plugin's `cleanup` did not end in time.",
    remedy: 'Let it end sooner; it is not waited for.',
  },
  BF_PLUGIN_CLOSING: {
    status: 503,
    cause: 'The plugins were to be changed while the gateway is shutting down.',
    remedy: 'Try again when it is up.',
  },
  BF_PLUGIN_CONFIG_VIEW_FAILED: {
    status: 422,
    cause:
      "The plugin's own `marshalConfigForStorage` or `redactConfig` failed, or could not be asked: nothing was stored or shown.",
    remedy:
      'Repair the function; what a config may be shown as can be said by the schema of the manifest in its place.',
  },
  BF_PLUGIN_CONFIG_INVALID: {
    status: 'none',
    cause: "The plugin's own schema refuses its `config`, or the schema itself fails.",
    remedy: 'Correct the fields that the message names.',
  },
  BF_PLUGIN_DIGEST_MISMATCH: {
    status: 'none',
    cause: 'The artefact is not the one that the entry or the manifest states the SHA-256 of.',
    remedy: 'State the new digest if the change is meant; otherwise get the plugin anew from its maker.',
  },
  BF_PLUGIN_DIGEST_REQUIRED: {
    status: 'none',
    cause: 'A plugin is to be downloaded, and its entry has no digest.',
    remedy: 'Add `sha256` or `integrity` to the entry.',
  },
  BF_PLUGIN_DOWNLOAD_FAILED: {
    status: 'none',
    cause: 'The server of a plugin was not reached, did not answer 200, or broke off.',
    remedy: 'Check `path` and the server; what was downloaded before is used without it.',
  },
  BF_PLUGIN_DOWNLOAD_REFUSED: {
    status: 'none',
    cause:
      'The URL of a plugin is not https, has a password in it, leads to an address that is not public, or is redirected too often.',
    remedy: 'Correct the URL; name a server of your own in `plugin_trust.private_hosts`.',
  },
  BF_PLUGIN_DRAINING: {
    status: 503,
    cause: 'Too many replaced generations of plugins still have requests under way.',
    remedy: 'Try again when long streams have ended.',
  },
  BF_PLUGIN_ENTRY_INVALID: {
    status: 'none',
    cause: 'The entry in `plugins` is wrong: its name, path or placement.',
    remedy: 'Correct what the message names.',
  },
  BF_PLUGIN_EXISTS: {
    status: 409,
    cause: 'A plugin was to be added under a name that is taken.',
    remedy: 'Update the one there is, or give another name.',
  },
  BF_PLUGIN_FILE_DAMAGED: {
    status: 'none',
    cause: "The plugin's file is cut off or damaged.",
    remedy: 'Build, copy or download it again.',
  },
  BF_PLUGIN_FILE_MISSING: {
    status: 'none',
    cause:
      "There is no file, folder or npm package at the plugin's `path`, or its package.json names a file that does not exist.",
    remedy:
      'Correct the path, which starts at the folder of the configuration file; the message lists where was looked.',
  },
  BF_PLUGIN_FILE_UNREADABLE: {
    status: 'none',
    cause: "The gateway's user may not read the plugin's file.",
    remedy: 'Give that user the right to read it and to enter the folders above it.',
  },
  BF_PLUGIN_GO_PLUGIN: {
    status: 'none',
    cause: 'The file is a Go plugin (`-buildmode=plugin`), which only a Go program of the same build could load.',
    remedy: 'Build it with `-buildmode=c-shared` against `bifrost_plugin.h`, or run it as a gRPC plugin.',
  },
  BF_PLUGIN_HOST_REQUEST: {
    status: 'none',
    cause:
      'A plugin that is not JavaScript has asked the gateway for something that it does not know, or in a wrong form. The plugin alone is told.',
    remedy: 'Correct the request that the plugin makes; `bifrost_plugin.h` and the WebAssembly interface list them.',
  },
  BF_PLUGIN_GRPC_FAILED: {
    status: 'none',
    cause: 'A gRPC plugin could not be started or reached, or did not say what it is as `bifrost_plugin.proto` asks.',
    remedy:
      'Read the message; start the program by hand with `BIFROST_PLUGIN=1` to see its first line and what it writes.',
  },
  BF_PLUGIN_IMPORT_MISSING: {
    status: 'none',
    cause: 'The plugin imports a module or a name that does not exist.',
    remedy:
      'Write relative imports with their extension, types with `import type`, and install packages where the plugin is.',
  },
  BF_PLUGIN_INIT_FAILED: {
    status: 'none',
    cause: "The plugin's `init` (or the `when` of a hook) threw.",
    remedy: "Read the message, which is the plugin's.",
  },
  BF_PLUGIN_INIT_TIMEOUT: {
    status: 'none',
    cause: "The plugin's module or its `init` did not end in time.",
    remedy: 'Do long work later, or after `init` has returned.',
  },
  BF_PLUGIN_ISOLATION_MISSING: {
    status: 'none',
    cause: "The plugin's process was started without Node's permission model, which is to hold it.",
    remedy: 'This is a fault of the gateway or of a program that wraps it: report it with the message.',
  },
  BF_PLUGIN_ISOLATION_UNAVAILABLE: {
    status: 'none',
    cause:
      'This program cannot run plugins in the isolation that the entry asks for, and running it less isolated would be wrong.',
    remedy: 'Choose another isolation.',
  },
  BF_PLUGIN_LIBRARY_MISSING: {
    status: 'none',
    cause: 'A shared library that the plugin needs, or that one of its libraries needs, is not on the machine.',
    remedy: 'Install the package that has it, link it statically, or put it beside the plugin.',
  },
  BF_PLUGIN_LIBRARY_VERSION: {
    status: 'none',
    cause: 'A shared library of the machine, often glibc, is older than the plugin needs.',
    remedy: "Build the plugin on a system that is not newer than the gateway's.",
  },
  BF_PLUGIN_LOAD_FAILED: {
    status: 'none',
    cause: "The plugin's module threw while it was loaded.",
    remedy: 'Read the message, which names the place in the plugin.',
  },
  BF_PLUGIN_MANIFEST_INVALID: {
    status: 'none',
    cause: "The plugin's manifest or package.json is not JSON, or a member of the manifest is wrong.",
    remedy: 'Correct what the message names by its path.',
  },
  BF_PLUGIN_NATIVE_CALL_FAILED: {
    status: 'none',
    cause: 'A function of a native plugin returned a failure, or an output that cannot be read.',
    remedy: "Read the message, which is the plugin's.",
  },
  BF_PLUGIN_NATIVE_DISABLED: {
    status: 'none',
    cause: 'The plugin is native code, and the gateway is the portable build, which loads none.',
    remedy: 'Build the gateway with `make build DYNAMIC=1`, or run the plugin in another form.',
  },
  BF_PLUGIN_NATIVE_GO_RELOAD: {
    status: 'none',
    cause: "Another version of a library made by Go is loaded in the process, and Go's runtime is never unloaded.",
    remedy: 'Set `isolation: "process"` for the plugin, or restart the gateway.',
  },
  BF_PLUGIN_NATIVE_LOAD_FAILED: {
    status: 'none',
    cause:
      "The system's loader refuses a native plugin, a function of the C interface is missing, or its file cannot be copied.",
    remedy: 'Correct what the message names.',
  },
  BF_PLUGIN_NODE_VERSION: {
    status: 'none',
    cause: 'The add-on was built for another version of Node.',
    remedy: "Build it with Node-API, or against this version's headers.",
  },
  BF_PLUGIN_NOT_FOUND: {
    status: 404,
    cause: 'There is no plugin of that name.',
    remedy: 'Look at the list of plugins.',
  },
  BF_PLUGIN_NOT_SERVING: {
    status: 'none',
    cause:
      'The plugin is quarantined, could not be loaded in this thread, or has no connection to its own thread or process.',
    remedy: 'Read its status, which says why, and reload it.',
  },
  BF_PLUGIN_PROCESS_CALL: {
    status: 'none',
    cause: 'A plugin in a serving thread called a function of `process` that would end or change the whole gateway.',
    remedy: 'Leave the call out; throw an error, or return one, to refuse a request.',
  },
  BF_PLUGIN_QUARANTINED: {
    status: 'none',
    cause:
      'The plugin blocked or ended a serving thread, or ended by itself again and again: it is not called any more.',
    remedy: 'Repair it and reload it, or run it in `process` isolation.',
  },
  BF_PLUGIN_REFUSED: {
    status: 'none',
    cause: 'A plugin outside the serving threads did what it was not granted, or what no plugin may do.',
    remedy: 'Grant the capability that the message names in `plugins[].capabilities`, if the plugin is to have it.',
  },
  BF_PLUGIN_RECORDING_INVALID: {
    status: 'none',
    cause: 'A recording of hook calls is damaged, was changed, is of another version, or does not fit the key.',
    remedy: 'Give the file and the key as the gateway wrote them, or record anew.',
  },
  BF_PLUGIN_DIGEST_PARTIAL: {
    status: 'none',
    cause: 'An entry states a digest that would bind one file of several which the plugin may load.',
    remedy:
      'Make one file of it (`bifrost plugin build`), or pin the manifest of a plugin that `bifrost plugin sign` has signed.',
  },
  BF_PLUGIN_RECORDING_RUNS: {
    status: 409,
    cause: 'The calls of this plugin are being recorded already; there is one recording for each plugin at most.',
    remedy: 'End it (`DELETE /api/plugins/NAME/recording`), or wait until its bounds are reached.',
  },
  BF_PLUGIN_RECORDING_UNKNOWN: {
    status: 404,
    cause: 'No recording of that plugin runs, or there is no file of that name that is complete.',
    remedy: '`GET /api/recordings` lists both. A recording that is still being written cannot be read.',
  },
  BF_PLUGIN_RECORDING_KEY: {
    status: 'none',
    cause: 'The key of recordings is missing or no key.',
    remedy: 'Give the file that was made with the recording, or remove it to begin anew.',
  },
  BF_PLUGIN_REQUIRED_FAILED: {
    status: 'none',
    cause: 'A plugin with `required: true` cannot be loaded.',
    remedy: 'Correct what the message says, or leave `required` out to serve without the plugin.',
  },
  BF_PLUGIN_SHAPE_INVALID: {
    status: 'none',
    cause:
      "The module's default export is not a plugin: a hook is unknown or of the wrong type, or the name is missing.",
    remedy: 'Correct the member that the message names; `definePlugin` of `@bifrost/sdk` lets TypeScript check it.',
  },
  BF_PLUGIN_SIGNATURE_INVALID: {
    status: 'none',
    cause: "The signature of the plugin's manifest does not fit it, or there is no `integrity` that binds the code.",
    remedy: 'Get the plugin anew from its maker.',
  },
  BF_PLUGIN_SIGNATURE_MISSING: {
    status: 'none',
    cause: 'The plugin is not signed, and `plugin_trust.require_signature` is true.',
    remedy: 'Sign it with a key of `plugin_trust.keys`.',
  },
  BF_PLUGIN_SIGNATURE_UNTRUSTED: {
    status: 'none',
    cause: 'The plugin is signed with a key that `plugin_trust.keys` does not have, or has wrongly.',
    remedy: "Add the maker's public key, or get the plugin from a maker that you trust.",
  },
  BF_PLUGIN_SYMBOL_MISSING: {
    status: 'none',
    cause: 'A native plugin does not export a function that its ABI asks for.',
    remedy: 'Export it with C linkage under the name that the message has.',
  },
  BF_PLUGIN_SYMBOL_UNKNOWN: {
    status: 'none',
    cause: "A native plugin exports a name that looks like one of the ABI's and is none.",
    remedy: 'Correct its spelling, or give it another prefix.',
  },
  BF_PLUGIN_SYNTAX: {
    status: 'none',
    cause: 'The plugin has a syntax error, or TypeScript that needs more than its types removed.',
    remedy: 'Correct the place that the message names; write no enums, namespaces or parameter properties.',
  },
  BF_PLUGIN_TYPESCRIPT_IN_NODE_MODULES: {
    status: 'none',
    cause: "The plugin's package ships TypeScript, which Node does not run below node_modules.",
    remedy: 'Publish it as JavaScript, or point `path` to a folder outside node_modules.',
  },
  BF_PLUGIN_UNKNOWN: {
    status: 'none',
    cause: 'The entry has no `path`, and there is no built-in plugin of its name.',
    remedy: 'Give a `path`.',
  },
  BF_PLUGIN_WASM_ABI: {
    status: 'none',
    cause: 'The WebAssembly module says no ABI that this gateway knows.',
    remedy: 'Build it for one of the ABIs that the message names; docs/plugins/wasm-abi.md describes them.',
  },
  BF_PLUGIN_WASM_EXPORT: {
    status: 'none',
    cause: 'The WebAssembly module lacks an export of its ABI, or has one of another signature or name.',
    remedy: 'Correct the export that the message names.',
  },
  BF_PLUGIN_WASM_FAILED: {
    status: 'none',
    cause: 'The WebAssembly plugin said that a call failed, or was called when it could not be.',
    remedy: "Read the message, which is the plugin's.",
  },
  BF_PLUGIN_WASM_IMPORT: {
    status: 'none',
    cause: 'The WebAssembly module imports what the gateway does not give.',
    remedy: 'The message names each import, and what to do about it.',
  },
  BF_PLUGIN_WASM_INVALID: {
    status: 'none',
    cause: 'The file is no WebAssembly module that this gateway can load.',
    remedy: 'Read the message: it says what was expected, and at which byte.',
  },
  BF_PLUGIN_WASM_MEMORY: {
    status: 'none',
    cause: 'The WebAssembly plugin has, or wants, more memory than it may have.',
    remedy: "Let it use less, or raise the plugin's memory limit.",
  },
  BF_PLUGIN_WASM_OUTPUT: {
    status: 'none',
    cause: 'A call of the WebAssembly plugin returned what is no answer of its ABI.',
    remedy: 'Correct what the message names; the SDKs in sdk/wasm write answers rightly.',
  },
  BF_PLUGIN_WASM_TRAP: {
    status: 'none',
    cause: 'A call of the WebAssembly plugin trapped; its instance was replaced, and what its globals held is lost.',
    remedy: 'The message names the trap and the functions it came from.',
  },
  BF_PLUGIN_WRONG_ARCHITECTURE: {
    status: 'none',
    cause: 'The native plugin is built for another processor.',
    remedy: "Build it for the gateway's; the message has the command.",
  },
  BF_PLUGIN_WRONG_FORMAT: {
    status: 'none',
    cause: "The content of the plugin's file is not what its name, or its manifest, says.",
    remedy: 'The message says what it is and what to do.',
  },
  BF_PLUGIN_WRONG_LIBC: {
    status: 'none',
    cause: 'The native plugin is linked with musl and the gateway runs on glibc, or the other way round.',
    remedy: "Build the plugin on a system with the gateway's C library.",
  },
  BF_PLUGIN_WRONG_PLATFORM: {
    status: 'none',
    cause: "The plugin's manifest does not name this platform.",
    remedy: 'Get or build the plugin for it.',
  },
  BF_PLUGIN_WRONG_SYSTEM: {
    status: 'none',
    cause: 'The native plugin is built for another operating system.',
    remedy: "Build it for the gateway's.",
  },
  BF_PLUGIN_STORE_UNREADABLE: {
    status: 500,
    cause: 'The file with the plugins that were changed at run time cannot be read.',
    remedy: 'Repair it, or move it away to start with the configuration file alone.',
  },
  BF_PLUGIN_STORE_UNWRITABLE: {
    status: 500,
    cause: 'The file with the plugins that were changed at run time cannot be written; the change was not made.',
    remedy: 'Make room, and let the user of the gateway write the app directory.',
  },
} as const satisfies ErrorCatalogue;

export type FrameworkErrorCode = keyof typeof frameworkErrorCodes;
