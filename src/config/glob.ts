/** How globs are read everywhere: dotfiles are files like others, names may hold newlines, case matters. */
export const globOptions = { dot: true, flags: 's' } as const;
