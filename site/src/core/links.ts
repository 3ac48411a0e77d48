/** Whether an address from the data may be a link: only those of the web, never those of a script. */
export const isWeb = (address: string | undefined): address is string => /^https?:[/]{2}/i.test(address ?? "");
