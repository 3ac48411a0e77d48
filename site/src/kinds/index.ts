import { start } from "../main";
import { Home } from "../pages/Home";

void start(Home);
