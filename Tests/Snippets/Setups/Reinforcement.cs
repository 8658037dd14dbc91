using System.Diagnostics;
using static MLExtensions.Snippets.SnippetContext;

namespace MLExtensions.Snippets;

/// <summary>The document about reinforcement learning.</summary>
internal static class Reinforcement
{
    /// <summary>What the documented program takes of Gymnasium and NumPy: a game of pixels that ends after a while.</summary>
    private const string Gymnasium = """
        class Space:
            def __init__(self, **values):
                self.__dict__.update(values)

        class Type:
            name = "uint8"

        class Pixels:
            dtype = Type()
            def __init__(self, value):
                self.value = value
            def tobytes(self):
                return bytes([self.value]) * (210 * 160 * 3)

        class Values:
            def __init__(self, value):
                self.value = value
            def flatten(self):
                return self
            def tolist(self):
                return [self.value] * (210 * 160 * 3)

        class Game:
            observation_space = Space(shape=(210, 160, 3), low=Values(0), high=Values(255))
            action_space = Space(n=4, start=0)
            steps = 0
            def reset(self, seed=None):
                self.steps = 0
                return Pixels(1), {}
            def step(self, action):
                self.steps += 1
                return Pixels(self.steps), 2.0, self.steps == 5, False, {}

        def make(name):
            return Game()
        """;

    public static bool HasPython
    {
        get
        {
            try
            {
                using var python = Process.Start(new ProcessStartInfo("python3", "--version") { RedirectStandardOutput = true, RedirectStandardError = true })!;
                python.WaitForExit();
                return python.ExitCode == 0;
            }
            catch (System.ComponentModel.Win32Exception)
            {
                return false;
            }
        }
    }

    public static void Prepare(Snippet snippet)
    {
        if (snippet.Has("gymnasium_child.py"))
        {
            File.WriteAllText("gymnasium.py", Gymnasium);
            var page = File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Data", "reinforcement.md"));
            File.WriteAllLines("gymnasium_child.py", page.SkipWhile(line => line != "```python").Skip(1).TakeWhile(line => line != "```"));
        }
        File.WriteAllLines("log.csv", ["state,action,reward,next state", .. Enumerable.Range(0, 40).Select(i =>
            $"room {i % 3},{(i % 2 == 0 ? "left" : "right")},{i % 3},room {(i + 1 + (i % 2)) % 3}")]);
        File.WriteAllLines("cartpole.csv", ["a,b,c,d,action,reward,e,f,g,h,terminated", .. Enumerable.Range(0, 300).Select(i =>
            $"{i % 5 * .1},0,{i % 7 * .01},0,{i % 2},1,{(i + 1) % 5 * .1},0,{(i + 1) % 7 * .01},0,{(i % 10 == 9 ? 1 : 0)}")]);
        if (Setup.ReasonToShorten(snippet) != null)
            StopAfterFirstEpoch();
        if (snippet.Has("PredictRewards"))
            data = Decisions();
        if (snippet.Has("FittedQEvaluation"))
            data = Episodes();
    }

    private static IDataView Decisions() =>
        Keyed(60, ("Features", [2]), ("Score", [2]), i => new Decision
        {
            Features = [i % 3, i % 4],
            Action = i % 2 == 0 ? "a" : "b",
            Propensity = .5f,
            Reward = i % 3 == 0 ? 1 : 0,
            Score = [.3f, .7f],
        });

    private static IDataView Episodes() =>
        Keyed(200, ("State", [2]), ("NextState", [2]), i => new Step
        {
            Episode = i / 10,
            State = [i % 10, i % 3],
            Action = i % 2 == 0 ? "0" : "1",
            Reward = 1,
            NextState = [(i + 1) % 10, (i + 1) % 3],
            Terminated = i % 10 == 9,
        });

    private static IDataView Keyed<T>(int count, (string Column, int[] Dimensions) first, (string Column, int[] Dimensions) second, Func<int, T> row)
        where T : class => Tables.Keyed(Tables.View(Enumerable.Range(0, count).Select(row), first, second), "Action");

    private sealed class Decision
    {
        public float[] Features { get; set; } = [];

        public string Action { get; set; } = "";

        public float Propensity { get; set; }

        public float Reward { get; set; }

        public float[] Score { get; set; } = [];
    }

    private sealed class Step
    {
        public int Episode { get; set; }

        public float[] State { get; set; } = [];

        public string Action { get; set; } = "";

        public float Reward { get; set; }

        public float[] NextState { get; set; } = [];

        public bool Terminated { get; set; }
    }
}
