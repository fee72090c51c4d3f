// Sets the chosen theme before the first paint; the page itself is loaded after it. See src/theme.ts.
try {
  const theme = localStorage.getItem('waybill-theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be forbidden: then the system's theme it is.
}
