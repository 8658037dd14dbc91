using MLExtensions.Families.Reinforcement;

namespace MLExtensions;

/// <summary>
/// Acrobot (Sutton, 1996): two links that hang, with a motor in the joint between them, have to swing up. The same numbers as Gymnasium's
/// <c>Acrobot-v1</c>; the episodes of that name end after 500 steps.
/// </summary>
/// <remarks>
/// Observations are cosine and sine of the first angle, cosine and sine of the second angle (relative to the first link), and both angular
/// velocities. Actions 0, 1 and 2 apply a torque of -1, 0 and 1. Each step gives -1, the last one 0; the episode terminates when the tip is
/// one link above the suspension.
/// </remarks>
public sealed class AcrobotEnvironment : SimulatedEnvironment
{
    private const double Interval = 0.2;
    private const double Gravity = 9.8;
    private const double CenterOfMass = 0.5;
    private const double LargestVelocity1 = 4 * Math.PI;
    private const double LargestVelocity2 = 9 * Math.PI;
    private const double LargestStart = 0.1;

    private readonly float[] _observation = new float[6];
    private Motion _state;

    /// <summary>Creates the environment, without a time limit; <c>EnvironmentRegistry.Make("Acrobot-v1")</c> has one.</summary>
    public AcrobotEnvironment()
        : base("Acrobot-v1", new BoxSpace([6], Bounds(-1), Bounds(1)), actions: 3)
    {
    }

    internal Motion State
    {
        get => _state;
        set
        {
            _state = value;
            Run();
        }
    }

    /// <inheritdoc/>
    public override RgbFrame Render()
    {
        const int Size = 120, Link = 26;
        var canvas = new Canvas(Size, Size, Canvas.White);
        var (elbowX, elbowY) = ((Size / 2) + (Link * Math.Sin(_state.Angle1)), (Size / 2) + (Link * Math.Cos(_state.Angle1)));
        var tip = _state.Angle1 + _state.Angle2;
        canvas.Rectangle(0, (Size / 2) - Link, Size, 1, Canvas.Green);
        canvas.Line(Size / 2, Size / 2, elbowX, elbowY, 5, Canvas.Blue);
        canvas.Line(elbowX, elbowY, elbowX + (Link * Math.Sin(tip)), elbowY + (Link * Math.Cos(tip)), 5, Canvas.Orange);
        canvas.Disc(Size / 2, Size / 2, 3, Canvas.Black);
        return canvas.ToFrame();
    }

    /// <inheritdoc/>
    public override string RenderText() => FormattableString.Invariant($"angles {_state.Angle1:F2} and {_state.Angle2:F2}, angular velocities {_state.Velocity1:F2} and {_state.Velocity2:F2}, height of the tip {Height:F2}, goal 1\n");

    private double Height => -Math.Cos(_state.Angle1) - Math.Cos(_state.Angle1 + _state.Angle2);

    private protected override void Begin() => _state = new Motion(
        Uniform(-LargestStart, LargestStart), Uniform(-LargestStart, LargestStart), Uniform(-LargestStart, LargestStart), Uniform(-LargestStart, LargestStart));

    private protected override (double Reward, bool Terminated) Act(int action)
    {
        // The classical Runge-Kutta method.
        var torque = action - 1;
        var first = Change(_state, torque);
        var second = Change(_state.Plus(first, Interval / 2), torque);
        var third = Change(_state.Plus(second, Interval / 2), torque);
        var fourth = Change(_state.Plus(third, Interval), torque);
        var next = _state.Plus(first.Plus(second, 2).Plus(third, 2).Plus(fourth, 1), Interval / 6);
        _state = new Motion(
            Wrap(next.Angle1),
            Wrap(next.Angle2),
            Math.Clamp(next.Velocity1, -LargestVelocity1, LargestVelocity1),
            Math.Clamp(next.Velocity2, -LargestVelocity2, LargestVelocity2));
        var terminated = Height > 1;
        return (terminated ? 0 : -1, terminated);
    }

    private protected override ReadOnlyMemory<float> Observe()
    {
        _observation[0] = (float)Math.Cos(_state.Angle1);
        _observation[1] = (float)Math.Sin(_state.Angle1);
        _observation[2] = (float)Math.Cos(_state.Angle2);
        _observation[3] = (float)Math.Sin(_state.Angle2);
        _observation[4] = (float)_state.Velocity1;
        _observation[5] = (float)_state.Velocity2;
        return _observation;
    }

    private protected override void SaveCore(BinaryWriter writer)
    {
        writer.Write(_state.Angle1);
        writer.Write(_state.Angle2);
        writer.Write(_state.Velocity1);
        writer.Write(_state.Velocity2);
    }

    private protected override void LoadCore(BinaryReader reader) =>
        _state = new Motion(reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble());

    /// <summary>How fast angles and velocities change (the dynamics of Sutton and Barto's book). Lengths, masses and inertia are 1.</summary>
    private static Motion Change(Motion state, double torque)
    {
        const double L = CenterOfMass;
        var (sine, cosine) = Math.SinCos(state.Angle2);
        var d1 = (L * L) + (1 + (L * L) + (2 * L * cosine)) + 2;
        var d2 = (L * L) + (L * cosine) + 1;
        var phi2 = L * Gravity * Math.Cos(state.Angle1 + state.Angle2 - (Math.PI / 2));
        var phi1 = (-L * state.Velocity2 * state.Velocity2 * sine) - (2 * L * state.Velocity2 * state.Velocity1 * sine)
            + ((L + 1) * Gravity * Math.Cos(state.Angle1 - (Math.PI / 2))) + phi2;
        var acceleration2 = (torque + (d2 / d1 * phi1) - (L * state.Velocity1 * state.Velocity1 * sine) - phi2) / ((L * L) + 1 - (d2 * d2 / d1));
        return new Motion(state.Velocity1, state.Velocity2, -((d2 * acceleration2) + phi1) / d1, acceleration2);
    }

    private static double Wrap(double angle)
    {
        while (angle > Math.PI)
            angle -= 2 * Math.PI;
        while (angle < -Math.PI)
            angle += 2 * Math.PI;
        return angle;
    }

    private static float[] Bounds(float sign) => [sign, sign, sign, sign, sign * (float)LargestVelocity1, sign * (float)LargestVelocity2];

    /// <summary>Angles in radians, from hanging, and their velocities.</summary>
    internal readonly record struct Motion(double Angle1, double Angle2, double Velocity1, double Velocity2)
    {
        public Motion Plus(Motion other, double factor) => new(
            Angle1 + (factor * other.Angle1), Angle2 + (factor * other.Angle2), Velocity1 + (factor * other.Velocity1), Velocity2 + (factor * other.Velocity2));
    }
}
