using System.Diagnostics;
using Microsoft.ML;

namespace MLExtensions.Tests.Reinforcement;

/// <summary>Environments in other processes, written with Python's standard library: one that works, and those that do not.</summary>
[TestClass]
public sealed class ProcessEnvironmentTests
{
    /// <summary>A corridor of five fields; the first argument says what goes wrong, in the third step of the second episode.</summary>
    private const string Script = """
        import json, sys, time, os
        fault, place, episode, steps = sys.argv[1], 0, 0, 0
        for line in sys.stdin:
            request = json.loads(line)
            command = request["command"]
            if command == "close":
                open(sys.argv[2], "w").write("closed")
                break
            if command == "describe":
                answer = {"name": "Corridor-v0", "observation_space": {"n": 5}, "action_space": {"n": 2}}
                if fault == "box":
                    answer["observation_space"] = {"shape": [1, 2], "low": [0, None], "high": 255}
                    answer["observation_space"]["high"] = [255, None]
                if fault == "bad space":
                    answer["observation_space"] = {"m": 5}
            elif command == "reset":
                place, episode, steps = (request["seed"] or 0) % 3, episode + 1, 0
                answer = {"observation": place, "action_mask": [place > 0, True]}
            else:
                steps += 1
                place += 1 if request["action"] == 1 else -1
                answer = {"observation": place, "reward": -1, "terminated": place == 4, "truncated": False, "action_mask": [place > 0, True]}
            if fault == "box" and command != "describe":
                answer["observation"] = "Bwk=" if command == "reset" else [[1, -2.5]]
                answer.pop("action_mask")
            if episode == 2 and steps == 3:
                if fault == "dies":
                    print("out of oil", file=sys.stderr, flush=True)
                    sys.exit(3)
                if fault == "hangs":
                    time.sleep(100)
                if fault == "lies":
                    answer["observation"] = 7
                if fault == "forgets":
                    del answer["reward"]
                if fault == "babbles":
                    print("hello")
                if fault == "closes":
                    os.close(1)
                    time.sleep(100)
                if fault == "leaves a child":
                    import subprocess
                    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(40)"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
                    os._exit(5)
                if fault == "no text":
                    sys.stdout.buffer.write(b'{"observation":"\xff"}\n')
                    sys.stdout.flush()
                if fault == "half a letter":
                    answer["observation"] = "\ud800"
                if fault == "twice":
                    print(json.dumps(answer))
                if fault == "mutters":
                    sys.stderr.write("." * 20_000_000)
                if fault == "complains":
                    answer = {"error": "no more fields"}
            print(json.dumps(answer), flush=True)
        """;

    [TestMethod]
    public void Child_IsPlayed_AndEnds()
    {
        using var folder = new TemporaryFolder();
        using (var environment = Start("", folder))
        {
            Assert.AreEqual("Corridor-v0", environment.Name);
            Assert.AreEqual(new DiscreteSpace(5), environment.ObservationSpace);
            Assert.AreEqual(2, environment.Reset(5).Observation.Span[0]);
            CollectionAssert.AreEqual(new[] { false, true }, environment.Reset().ActionMask.ToArray());
            Assert.AreEqual((-4, 4), Play.Episode(environment, null, _ => 1));
            Assert.ThrowsExactly<InvalidOperationException>(() => environment.Step(1));
        }
        Assert.AreEqual("closed", File.ReadAllText(Path.Combine(folder.Path, "closed.txt")));
    }

    [TestMethod]
    public void Child_IsLearned()
    {
        using var folder = new TemporaryFolder();
        using var environment = Start("", folder);
        var ml = new MLContext(1);
        var policy = ml.ReinforcementLearning.Trainers.QLearning(new QLearningEstimator.Options { Epochs = 1, StepsPerEpoch = 300, LearningRate = .5 }).Fit(environment);
        Assert.AreEqual(-4, ml.ReinforcementLearning.Evaluate(policy, environment, 2).MeanReturn);
    }

    [TestMethod]
    public void Boxes_AndBytes_AreRead()
    {
        using var folder = new TemporaryFolder();
        using var environment = Start("box", folder);
        Assert.AreEqual(new BoxSpace([1, 2], [0, float.NegativeInfinity], [255, float.PositiveInfinity]), environment.ObservationSpace);
        CollectionAssert.AreEqual(new[] { 7f, 9f }, environment.Reset().Observation.ToArray());
        CollectionAssert.AreEqual(new[] { 1f, -2.5f }, environment.Step(1).Observation.ToArray());
    }

    [TestMethod]
    [DataRow("dies", typeof(IOException), "ended with exit code 3 instead of answering 'step'. It wrote to its standard error: out of oil")]
    [DataRow("hangs", typeof(TimeoutException), "did not answer 'step' within 3 s")]
    [DataRow("closes", typeof(IOException), "closed its standard output instead of answering 'step'")]
    [DataRow("lies", typeof(FormatException), "Corridor-v0, episode 2, step 3: value 0 of the observation is 7; it must be a whole number from 0 to 4.")]
    [DataRow("forgets", typeof(FormatException), "answered 'step' with no reward; it must be a number")]
    [DataRow("babbles", typeof(FormatException), "answered 'step' with 'hello', which is no JSON object")]
    [DataRow("leaves a child", typeof(IOException), "ended with exit code 5 instead of answering 'step'")]
    [DataRow("no text", typeof(FormatException), "which is no JSON object: it is no UTF-8.")]
    [DataRow("half a letter", typeof(FormatException), "answered 'step' with observation = a text with half of a surrogate pair; it must be numbers, or base64.")]
    [DataRow("complains", typeof(InvalidOperationException), "answered 'step' with an error: no more fields")]
    public void Fault_IsAnError_NeverAHang(string fault, Type error, string message)
    {
        using var folder = new TemporaryFolder();
        using var environment = Start(fault, folder, TimeSpan.FromSeconds(fault == "hangs" ? 3 : 60));
        environment.Reset();
        environment.Reset();
        environment.Step(1);
        environment.Step(1);
        var watch = Stopwatch.StartNew();
        var thrown = Assert.Throws<Exception>(() => environment.Step(0));
        Assert.AreEqual(error, thrown.GetType());
        Assert.Contains(message, thrown.Message);
        Assert.IsLessThan(30, watch.Elapsed.TotalSeconds, "far less than the child would sleep");
        Assert.Contains("cannot be used anymore", Assert.ThrowsExactly<InvalidOperationException>(() => environment.Reset()).Message);
    }

    /// <summary>Two lines for one command would make every answer that follows the one before.</summary>
    [TestMethod]
    public void AnswerTooMany_IsAnError()
    {
        using var folder = new TemporaryFolder();
        using var environment = Start("twice", folder);
        environment.Reset();
        environment.Reset();
        environment.Step(1);
        environment.Step(1);
        environment.Step(0);
        Assert.Contains("more than one line in answer to the command before 'step'", Assert.ThrowsExactly<FormatException>(() => environment.Step(0)).Message);
    }

    /// <summary>What a child writes to its standard error is read, whether it ends its lines or not.</summary>
    [TestMethod]
    public void StandardError_WithoutEnd_IsRead()
    {
        using var folder = new TemporaryFolder();
        using var environment = Start("mutters", folder);
        environment.Reset();
        environment.Reset();
        environment.Step(1);
        environment.Step(1);
        Assert.IsFalse(environment.Step(0).IsEnd);
    }

    [TestMethod]
    public void Start_Fails_WithAReason()
    {
        using var folder = new TemporaryFolder();
        Assert.Contains("observation_space = {\"m\":5}", Assert.ThrowsExactly<FormatException>(() => Start("bad space", folder)).Message);
        Assert.Contains("'no-such-program' could not be started", Assert.ThrowsExactly<IOException>(() => new ProcessEnvironment("no-such-program")).Message);
        Assert.Contains("exit code 2 instead of answering 'describe'", Assert.ThrowsExactly<IOException>(() => new ProcessEnvironment("python3", [Path.Combine(folder.Path, "none.py")])).Message);
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new ProcessEnvironment("python3", timeout: TimeSpan.Zero));
    }

    [ClassInitialize]
    public static void NeedsPython(TestContext _)
    {
        try
        {
            using var python = Process.Start(new ProcessStartInfo("python3", "--version") { RedirectStandardOutput = true, RedirectStandardError = true })!;
            python.WaitForExit();
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Inconclusive("There is no python3.");
        }
    }

    private static ProcessEnvironment Start(string fault, TemporaryFolder folder, TimeSpan? timeout = null)
    {
        var script = Path.Combine(folder.Path, "corridor.py");
        File.WriteAllText(script, Script);
        return new ProcessEnvironment("python3", [script, fault, Path.Combine(folder.Path, "closed.txt")], timeout);
    }
}
