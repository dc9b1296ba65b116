/** The admin's pages in the order of the navigation; each entry is a folder beside this file. */
export interface NavigationEntry {
  readonly href: string;
  readonly label: string;
}

export const NAVIGATION: readonly NavigationEntry[] = [
  { href: "/", label: "Overview" },
  { href: "/accounts", label: "Accounts" },
  { href: "/groups", label: "Groups" },
  { href: "/keys", label: "Keys" },
  { href: "/requests", label: "Requests" },
];

/** The entry's own page or one below it. */
export const isCurrent = (entry: NavigationEntry, pathname: string): boolean =>
  pathname === entry.href || (entry.href !== "/" && pathname.startsWith(`${entry.href}/`));
