// Starts the page: the base path, the session, the frame.
import { render } from 'preact';
import { loadSession } from './api/session.ts';
import { App } from './app.tsx';
import { setBase } from './routes.ts';
import './style/tokens.css';
import './style/base.css';
import './style/components.css';
import './style/shell.css';
import './style/views.css';
import './theme.ts';

setBase(new URL(document.baseURI).pathname);
const page = document.querySelector('#page');
if (page) render(<App />, page);
void loadSession();
