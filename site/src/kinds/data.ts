import { start } from "../main";
import { Data } from "../pages/Data";

void start(Data);
